import { cors } from "itty-router";
import type { Config } from "../config.ts";

/** What a page of another origin may read of an answer. */
const EXPOSED_HEADERS = [
  ...["Content-Length", "Content-Range", "Docker-Content-Digest", "Docker-Upload-UUID", "ETag", "Link", "Location"],
  ...["OCI-Filters-Applied", "OCI-Subject", "OCI-Tag", "Range", "WWW-Authenticate"],
];

/**
 * Lets pages of the configured origins call the registry (Fetch standard, "CORS protocol"). Without any, the default,
 * answers carry no CORS header, and a preflight is a request like any other.
 */
export async function withCors(
  request: Request,
  { corsOrigins }: Config,
  handle: () => Promise<Response>,
): Promise<Response> {
  if (corsOrigins.length === 0) return await handle();
  const { preflight, corsify } = cors({
    origin: corsOrigins.includes("*") ? "*" : [...corsOrigins],
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: ["Accept", "Authorization", "Content-Range", "Content-Type", "If-None-Match", "Range"],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: 3600,
  });
  return preflight(request) ?? corsify(await handle(), request);
}
