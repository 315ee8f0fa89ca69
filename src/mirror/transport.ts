import { isPrivateHost } from "../policy/address.ts";
import type { Upstream } from "../policy/upstream.ts";
import { UpstreamError } from "./upstream-error.ts";

/** How long an upstream may take until its answer begins. */
const ANSWER_MS = 15_000;

/** A blob's way to the storage of an upstream is one redirect, seldom two. */
const REDIRECTS_MAX = 5;

const REDIRECT_STATUSES: readonly number[] = [301, 302, 303, 307, 308];

/** A request to an upstream, or to where it sends us. */
export interface Outgoing {
  readonly method: "GET" | "HEAD";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer, and the address that gave it: that of the request, or where that led. */
export interface Arrived {
  readonly response: Response;
  readonly url: URL;
}

/**
 * Sends a request, and follows where it is redirected. Credentials go to the origin that they are for, and to no other; and no upstream
 * leads us to plain HTTP or into a private network, unless the settings say so.
 * @returns an answer of any status but a redirect's, its body unread.
 * @throws UpstreamError unavailable
 */
export async function send(fetcher: typeof fetch, upstream: Upstream, outgoing: Outgoing): Promise<Arrived> {
  let { url } = outgoing;
  let headers = outgoing.headers;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    assertSafe(upstream, url);
    const response = await fetchOnce(fetcher, upstream, { ...outgoing, url, headers });
    if (!REDIRECT_STATUSES.includes(response.status)) return { response, url };
    await response.body?.cancel().catch(() => undefined);
    const target = response.headers.get("Location");
    if (target === null || !URL.canParse(target, url)) throw problem(upstream, "redirects, and does not say where to");
    const next = new URL(target, url);
    if (next.origin !== url.origin) headers = withoutCredentials(headers);
    url = next;
  }
  throw problem(upstream, `redirects more than ${REDIRECTS_MAX} times`);
}

/** Throws UpstreamError for an address that an upstream has no business to lead us to. */
export function assertSafe(upstream: Upstream, url: URL): void {
  if (url.protocol !== "https:" && url.protocol !== "http:") throw problem(upstream, `leads to ${url.protocol}`);
  if (upstream.private) return;
  if (url.protocol !== "https:") throw problem(upstream, `leads to ${url.origin}, which is plain HTTP`);
  if (isPrivateHost(url)) throw problem(upstream, `leads to ${url.origin}, which is a private address`);
}

export function problem(upstream: Upstream, text: string, options?: ErrorOptions): UpstreamError {
  return new UpstreamError("unavailable", `${upstream.name} ${text}`, options);
}

function withoutCredentials(headers: Outgoing["headers"]): Outgoing["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"));
}

async function fetchOnce(
  fetcher: typeof fetch,
  upstream: Upstream,
  { method, url, headers }: Outgoing,
): Promise<Response> {
  const abort = new AbortController();
  const timer = setTimeout(() => {
    abort.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`));
  }, ANSWER_MS);
  try {
    return await fetcher(url.href, {
      // What is compressed on the way has another length than it says.
      ...{ method, headers: { "User-Agent": "stowage", "Accept-Encoding": "identity", ...headers } },
      ...{ redirect: "manual", cache: "no-store", signal: abort.signal },
    });
  } catch (cause) {
    const reason = abort.signal.aborted ? `does not answer within ${ANSWER_MS / 1000} s` : "cannot be reached";
    throw problem(upstream, reason, { cause });
  } finally {
    clearTimeout(timer);
  }
}
