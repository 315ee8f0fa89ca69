import { expect, it } from "vitest";
import { type ErrorCode, OciError } from "../../src/oci/error.ts";

/** Distribution spec, "Error Codes", with the statuses of its end-points. */
const SPECIFIED: [ErrorCode, number][] = [
  ["BLOB_UNKNOWN", 404],
  ["BLOB_UPLOAD_INVALID", 400],
  ["BLOB_UPLOAD_UNKNOWN", 404],
  ["DIGEST_INVALID", 400],
  ["MANIFEST_BLOB_UNKNOWN", 404],
  ["MANIFEST_INVALID", 400],
  ["MANIFEST_UNKNOWN", 404],
  ["NAME_INVALID", 400],
  ["NAME_UNKNOWN", 404],
  ["SIZE_INVALID", 400],
  ["UNAUTHORIZED", 401],
  ["DENIED", 403],
  ["UNSUPPORTED", 405],
  ["TOOMANYREQUESTS", 429],
];

it.each(SPECIFIED)("%s is a %i", (code, status) => {
  expect(new OciError(code).status).toBe(status);
});

it("becomes the spec's body, without what only the server knows", () => {
  const error = new OciError("NAME_UNKNOWN", { message: "text", detail: { name: "a" }, headers: { "X-Y": "z" } });
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    errors: [{ code: "NAME_UNKNOWN", message: "text", detail: { name: "a" } }],
  });
  expect(JSON.parse(JSON.stringify(new OciError("UNKNOWN")))).toEqual({
    errors: [{ code: "UNKNOWN", message: "unknown error" }],
  });
});
