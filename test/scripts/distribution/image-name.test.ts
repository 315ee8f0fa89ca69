import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatImageName, parseImageName, withDefaultHost } from "../../../scripts/distribution/image-name.ts";

const HEX = "0123456789abcdef".repeat(4);

test.each([
  ["nginx", undefined, "nginx", undefined],
  ["team/web:1.2", undefined, "team/web", "1.2"],
  ["docker.io/nginx", "docker.io", "library/nginx", undefined],
  ["index.docker.io/bitnami/redis:7", "docker.io", "bitnami/redis", "7"],
  ["localhost/web", "localhost", "web", undefined],
  ["localhost:5000/web:1", "localhost:5000", "web", "1"],
  ["[::1]:5000/web", "[::1]:5000", "web", undefined],
  ["ghcr.io/acme/app:v1.*", "ghcr.io", "acme/app", "v1.*"],
  ["registry.example.org/a/b/c", "registry.example.org", "a/b/c", undefined],
])("%s is read", (text, host, repository, tag) => {
  expect(parseImageName(text)).toEqual({ host, repository, tag, digest: undefined });
  expect(parseImageName(`${text}@sha256:${HEX}`)).toEqual({ host, repository, tag, digest: `sha256:${HEX}` });
});

test.each([
  ["Team/web", "is no repository"],
  ["team//web", "is no repository"],
  ["", "is no repository"],
  ["web:", "is no tag"],
  ["web:1:2", "is no tag"],
  ["web@sha256:12", "after @ comes a digest"],
  ["web@sha256:12@sha256:13", "after @ comes a digest"],
  ["https://registry.example.org/web", "is no"],
])("%s is refused", (text, reason) => {
  expect(() => parseImageName(text)).toThrow(reason);
});

test.each([
  ["nginx", "docker.io/library/nginx"],
  ["bitnami/redis:7", "docker.io/bitnami/redis:7"],
  ["ghcr.io/acme/app", "ghcr.io/acme/app"],
])("%s comes from where docker takes it: %s", (text, full) => {
  expect(formatImageName(withDefaultHost(parseImageName(text)))).toBe(full);
});

describe("names are read as they are written", () => {
  const host = fc.constantFrom("localhost", "r.example.org", "127.0.0.1:5000", "docker.io");
  const path = fc.array(fc.stringMatching(/^[a-z0-9]{1,8}$/), { minLength: 2, maxLength: 4 });
  const tag = fc.option(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/), { nil: undefined });
  const digest = fc.option(fc.constant(`sha256:${HEX}`), { nil: undefined });
  test("by property", () => {
    fc.assert(
      fc.property(host, path, tag, digest, (where, names, version, hash) => {
        const name = { host: where, repository: names.join("/"), tag: version, digest: hash };
        expect(parseImageName(formatImageName(name as never))).toEqual(name);
      }),
    );
  });
});
