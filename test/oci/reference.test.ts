import { expect, it } from "vitest";
import { parseReference, parseTag } from "../../src/oci/reference.ts";
import { thrownBy } from "../support/thrown.ts";

it.each(["latest", "1", "_", "_x", "V1.2.3", "a-b_c.d", "sha256-0123abcd.sig", "a".repeat(128)])(
  "accepts the tag %s",
  (tag) => {
    expect(parseTag(tag)).toBe(tag);
    expect(parseReference(tag)).toEqual({ kind: "tag", tag });
  },
);

it.each(["", ".a", "-a", "a b", "a/b", "é", "a\n", "a+b", "a@b", "a".repeat(129)])("refuses the tag %j", (tag) => {
  expect(thrownBy(() => parseTag(tag)).code).toBe("TAG_INVALID");
  expect(thrownBy(() => parseReference(tag)).code).toBe("TAG_INVALID");
});

it("takes what has a colon for a digest", () => {
  const digest = `sha256:${"0".repeat(64)}`;
  expect(parseReference(digest)).toEqual({ kind: "digest", digest });
  expect(thrownBy(() => parseReference("a:b")).code).toBe("DIGEST_INVALID");
  expect(thrownBy(() => parseTag(digest)).code).toBe("TAG_INVALID");
});
