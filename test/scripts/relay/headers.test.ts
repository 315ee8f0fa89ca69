import { expect, test } from "vitest";
import { leadBack, passOn } from "../../../scripts/relay/headers.ts";

const REGISTRY = new URL("https://registry.example.org");
const HERE = "http://127.0.0.1:5555";

test.for([
  ["Location", "/v2/a/blobs/uploads/1", "/v2/a/blobs/uploads/1"],
  ["Location", "https://registry.example.org/v2/a/blobs/uploads/1?x=2", "/v2/a/blobs/uploads/1?x=2"],
  ["Location", "http://registry.example.org/v2/", "/v2/"],
  ["location", "https://bucket.example.org/object", "https://bucket.example.org/object"],
  ["Link", '</v2/_catalog?last=b>; rel="next"', '</v2/_catalog?last=b>; rel="next"'],
  ["Link", '<https://registry.example.org/v2/_catalog?last=b>; rel="next"', '</v2/_catalog?last=b>; rel="next"'],
  [
    "WWW-Authenticate",
    'Bearer realm="https://registry.example.org/token",service="stowage"',
    `Bearer realm="${HERE}/token",service="stowage"`,
  ],
  [
    "WWW-Authenticate",
    'Bearer realm="https://auth.example.org/token"',
    'Bearer realm="https://auth.example.org/token"',
  ],
  ["WWW-Authenticate", 'Basic realm="it"', 'Basic realm="it"'],
  ["Docker-Content-Digest", "sha256:https://registry.example.org/", "sha256:https://registry.example.org/"],
] as const)("%s: %s leads to %s", ([name, value, led]) => {
  expect(leadBack([name, value], REGISTRY, HERE)).toEqual([name, led]);
});

test("what is of one connection is not passed on, nor what is replaced", () => {
  const headers = ["Host", "a", "Accept", "b", "Connection", "close", "Transfer-Encoding", "chunked", "Range", "c"];
  expect(passOn(headers)).toEqual(["Accept", "b", "Range", "c"]);
  expect(passOn(headers, "range")).toEqual(["Accept", "b"]);
});
