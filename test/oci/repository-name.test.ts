import fc from "fast-check";
import { expect, it } from "vitest";
import { isRepositoryName, parseRepositoryName } from "../../src/oci/repository-name.ts";
import { thrownBy } from "../support/thrown.ts";

it.each([
  "a",
  "0",
  "library/nginx",
  "a/b/c/d/e/f",
  "a.b",
  "a_b",
  "a__b",
  "a-b",
  "a---b",
  "my-org/my.repo_1/x--y",
  "blobs/uploads/manifests/tags",
  "a".repeat(255),
])("accepts %s", (name) => {
  expect(parseRepositoryName(name)).toBe(name);
});

it.each([
  "",
  "A",
  "library/Nginx",
  "/a",
  "a/",
  "a//b",
  "a..b",
  "..",
  "../a",
  "a/../b",
  ".a",
  "a.",
  "_a",
  "a_",
  "a___b",
  "-a",
  "a-",
  "a._b",
  "a:b",
  "a@b",
  "a b",
  "a\n",
  "a%2fb",
  "é",
  "a/名前",
  "a\u0000",
  "_catalog",
  "a".repeat(256),
])("refuses %j", (name) => {
  expect(isRepositoryName(name)).toBe(false);
  expect(thrownBy(() => parseRepositoryName(name)).code).toBe("NAME_INVALID");
});

it("says when a name is only too long", () => {
  expect(thrownBy(() => parseRepositoryName("a".repeat(256))).message).toContain("255");
});

it("decides soon about any name", () => {
  // A name of which every prefix is valid, and the end is not: what backtracks without end would never decide.
  const names = fc.stringMatching(/^[a-z0-9._/-]{200,255}$/);
  fc.assert(fc.property(names, (name) => !isRepositoryName(`${name}!`)));
  expect(isRepositoryName(`${"a-".repeat(127)}!`)).toBe(false);
});
