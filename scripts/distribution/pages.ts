import { Failure } from "../local/failure.ts";
import { type Connection, join, type Response } from "./connection.ts";
import { resolveUrl } from "./url.ts";

/** Of a list; a page of a thousand tags of 128 characters is a hundredth of it. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;

export interface Page {
  readonly response: Response;
  /** Undefined for what is none. */
  readonly json: unknown;
}

/**
 * The pages of a list, as `Link` headers join them (RFC 8288): `</v2/…?last=…>; rel="next"`.
 * @throws Refusal; Failure for pages in circles, or on another server.
 */
export async function* readPages(
  connection: Connection,
  { path, scope, headers = {} }: { path: string; scope: string; headers?: Readonly<Record<string, string>> },
): AsyncGenerator<Page> {
  const { url: home, host } = connection.endpoint;
  const seen = new Set<string>();
  for (let next: URL | undefined = new URL(path, home); next !== undefined;) {
    if (seen.has(next.href)) throw new Failure(`the pages of ${host} go in circles at ${next.pathname}`);
    seen.add(next.href);
    const call = { method: "GET", url: next, headers, scopes: [scope], expected: [200] } as const;
    const { response, bytes } = await connection.read(call, PAGE_BYTES_MAX);
    yield { response, json: parse(bytes) };
    next = resolveUrl(/<([^>]*)>\s*;\s*rel="?next"?/.exec(join(response.headers.link) ?? "")?.[1], next);
    // The scheme and host are wrong behind many a proxy; credentials go to no other server, whatever it says.
    if (next !== undefined) next = new URL(next.pathname + next.search, home);
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
