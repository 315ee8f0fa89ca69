import type { Caller } from "../auth/access.ts";
import type { Context } from "../context.ts";
import { OciError } from "../oci/error.ts";
import type { Content } from "../registry/content.ts";

/** A request that has found its route, and whose caller may take it. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly context: Context;
  readonly caller: Caller;
  /** What the repository of the path has to be pulled, for this caller. Only a route that asks for "pull" has it. */
  readonly content: () => Content;
  /** Path parameters, as they stand in the URL. */
  readonly params: Readonly<Record<string, string | undefined>>;
}

export type Handler = (call: Call) => Promise<Response>;

/** A path parameter without percent escapes: clients may escape the colon of a digest. */
export function decodeParam(call: Pick<Call, "params">, name: string): string {
  const text = call.params[name] ?? "";
  try {
    return decodeURIComponent(text);
  } catch {
    throw new OciError("NOT_FOUND", { message: "the path is not valid percent-encoding" });
  }
}

/** Content-Length in bytes; undefined when the body's length is unknown. */
export function contentLength(request: Request): number | undefined {
  const header = request.headers.get("Content-Length");
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

/** The body of a request, of which no more than `maxBytes` is read; undefined for a longer one. Its length may go unstated. */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  if ((contentLength(request) ?? 0) > maxBytes) return undefined;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body ?? []) {
    pieces.push(piece as Uint8Array);
    size += (piece as Uint8Array).byteLength;
    if (size > maxBytes) return undefined;
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Of what the edge lets through, what is left for bytes beside the rest of a request, by a wide margin. */
const CHUNK_SHARE = 0.9;

/** `OCI-Chunk-Max-Length`: how large a chunk may be, for clients that ask; beside the spec's minimum, of which there is none here. */
export function chunkHeaders({ config }: Pick<Context, "config">): Record<string, string> {
  const { requestBodyMax: max } = config;
  return max === undefined ? {} : { "OCI-Chunk-Max-Length": String(Math.floor(max * CHUNK_SHARE)) };
}

/** RFC 7234, section 5.5, as the distribution spec has it: clients show it to their users. */
export function warningHeader(warning: string | undefined): Record<string, string> {
  return warning === undefined ? {} : { Warning: `299 - "${warning.replaceAll(/["\\]/g, "\\$&")}"` };
}

/** `Link` to the next page (RFC 8288): a relative reference in angle brackets, with what the client asked before. */
export function nextPage(url: URL, changes: Readonly<Record<string, string>>): Record<string, string> {
  const query = new URLSearchParams(url.search);
  for (const [name, value] of Object.entries(changes)) query.set(name, value);
  return { Link: `<${url.pathname}?${query.toString()}>; rel="next"` };
}
