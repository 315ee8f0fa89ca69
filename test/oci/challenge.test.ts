import fc from "fast-check";
import { expect, test } from "vitest";
import { parseChallenge } from "../../src/oci/challenge.ts";

const REALM = "https://auth.example.org/token";

test.each([
  [`Bearer realm="${REALM}",service="registry"`, { realm: REALM, service: "registry", scope: undefined }],
  [`Bearer service=registry, realm="${REALM}"`, { realm: REALM, service: "registry", scope: undefined }],
  [
    `bearer realm="${REALM}",scope="repository:a:pull,push",error="insufficient_scope"`,
    { realm: REALM, service: undefined, scope: "repository:a:pull,push" },
  ],
  [`Basic realm="x", Bearer realm="${REALM}"`, { realm: REALM, service: undefined, scope: undefined }],
  [`Bearer realm="a\\"b"`, { realm: 'a"b', service: undefined, scope: undefined }],
])("%s asks for a token", (header, challenge) => {
  expect(parseChallenge(header)).toEqual({ scheme: "bearer", ...challenge });
});

test.each(['Basic realm="it"', "basic", 'Negotiate, Basic realm="x"', 'Bearer service="x", Basic realm="y"'])(
  "%s asks for a password",
  (header) => {
    expect(parseChallenge(header)).toEqual({ scheme: "basic" });
  },
);

test.each(["", "Negotiate", 'Bearer service="x"', ",,,", '"'])("'%s' asks for neither", (header) => {
  expect(parseChallenge(header)).toBeUndefined();
});

test("whatever it says, it is read", () => {
  fc.assert(fc.property(fc.string(), (header) => void parseChallenge(header)));
});
