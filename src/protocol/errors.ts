import { ConfigError } from "../config.ts";
import { logError } from "../log.ts";
import { OciError } from "../oci/error.ts";

/** The one place where errors become responses. A defect is logged, and the client learns nothing of its inside. */
export function toErrorResponse(error: unknown, request: Request): Response {
  const known = toOciError(error, request);
  const body = new TextEncoder().encode(JSON.stringify(known));
  const headers = { "Content-Type": "application/json", ...known.headers, "Content-Length": String(body.byteLength) };
  return new Response(request.method === "HEAD" ? null : body, { status: known.status, headers });
}

function toOciError(error: unknown, request: Request): OciError {
  if (error instanceof OciError) return error;
  const { pathname } = new URL(request.url);
  logError("request failed", error, { method: request.method, path: pathname });
  if (error instanceof ConfigError) {
    return new OciError("UNAVAILABLE", { message: `this registry is not set up: ${error.message}` });
  }
  return new OciError("UNKNOWN");
}
