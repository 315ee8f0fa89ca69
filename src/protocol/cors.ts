import type { Config } from "../config.ts";

/** What a page of another origin may send. */
const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS = "Accept, Authorization, Content-Range, Content-Type, If-None-Match, If-Range, Range";

/** What it may read of an answer. */
const RESPONSE_HEADERS = [
  ...["Content-Length", "Content-Range", "Docker-Content-Digest", "Docker-Upload-UUID", "ETag", "Link", "Location"],
  ...["OCI-Filters-Applied", "OCI-Subject", "OCI-Tag", "Range", "Retry-After", "Warning", "WWW-Authenticate"],
].join(", ");

/** How long a browser may remember the answer to a preflight. */
const PREFLIGHT_MAX_AGE_SECONDS = "3600";

/** The sessions of browsers are for the registry's own page, whatever other origins may call. */
function isOfOwnPage(request: Request): boolean {
  return /^\/api\/session(?:\/|$)/.test(new URL(request.url).pathname);
}

/** The origin that an answer names, if the request's origin is a configured one. */
function allowedOrigin(request: Request, { corsOrigins }: Config): string | undefined {
  const origin = request.headers.get("Origin");
  if (origin === null) return undefined;
  if (corsOrigins.includes("*")) return "*";
  return corsOrigins.includes(origin) ? origin : undefined;
}

/** True for the question that a browser asks before the request itself (Fetch standard, "CORS-preflight request"). */
export function isPreflight(request: Request, { corsOrigins }: Config): boolean {
  if (corsOrigins.length === 0 || request.method !== "OPTIONS") return false;
  return request.headers.has("Access-Control-Request-Method") && !isOfOwnPage(request);
}

/** The answer to it: without credentials, since a preflight has none. */
export function answerPreflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "Access-Control-Allow-Methods": METHODS,
      "Access-Control-Allow-Headers": REQUEST_HEADERS,
      "Access-Control-Max-Age": PREFLIGHT_MAX_AGE_SECONDS,
    },
  });
}

/**
 * Lets pages of the configured origins read an answer. Without any configured, the default, nothing is added. (The
 * router's own helper makes a new response, which loses the status of the old one.)
 */
export function addCorsHeaders(response: Response, request: Request, config: Config): void {
  if (config.corsOrigins.length === 0 || isOfOwnPage(request)) return;
  const origin = allowedOrigin(request, config);
  if (origin !== "*") response.headers.append("Vary", "Origin");
  if (origin === undefined) return;
  response.headers.set("Access-Control-Allow-Origin", origin);
  response.headers.set("Access-Control-Expose-Headers", RESPONSE_HEADERS);
}
