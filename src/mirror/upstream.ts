import type { Context } from "../context.ts";
import type { MirrorAddress, Upstream } from "../policy/upstream.ts";
import { type Outgoing, problem, send } from "./transport.ts";
import { UpstreamError } from "./upstream-error.ts";
import { noteAnswer, noteFailure } from "./upstream-status.ts";
import { answerChallenge } from "./upstream-token.ts";

/** What is asked of a repository of an upstream. */
export interface UpstreamRequest {
  readonly method: "GET" | "HEAD";
  /** Behind `/v2/<name>/`. */
  readonly path: string;
  readonly accept?: string;
}

/** How long an upstream is left alone that is out of order; one that has had enough of us, for as long as it says, but not longer. */
const PAUSE_MS = 15_000;
const LIMITED_MS = 60_000;
const LIMITED_MAX_MS = 15 * 60_000;

/**
 * Asks an upstream for something of a repository, with a token for it, or with Basic, as it wants. Its answer's body is unread.
 * @returns an answer of status 200.
 * @throws UpstreamError
 */
export async function askUpstream(
  context: Context,
  address: MirrorAddress,
  request: UpstreamRequest,
): Promise<Response> {
  const { name } = address.upstream;
  const { now, mirror } = context;
  const limit = mirror.pauseOf(name, now());
  // It has said itself when it may be asked again.
  if (limit?.error.problem === "limited" && limit.error.retryAfter !== undefined) {
    const retryAfter = Math.ceil((limit.until - now()) / 1000);
    throw new UpstreamError("limited", limit.error.message, { retryAfter });
  }
  try {
    const response = await answerOf(context, address, request);
    context.mirror.resume(name);
    noteAnswer(context, name, response.headers);
    return response;
  } catch (error) {
    if (error instanceof UpstreamError) noteProblem(context, name, error);
    throw error;
  }
}

function noteProblem(context: Context, upstream: string, error: UpstreamError): void {
  if (error.problem === "unknown" || error.problem === "refused") return;
  const pauseMs =
    error.problem === "unavailable"
      ? PAUSE_MS
      : Math.min(error.retryAfter === undefined ? LIMITED_MS : error.retryAfter * 1000, LIMITED_MAX_MS);
  context.mirror.pause(upstream, context.now() + pauseMs, error);
  noteFailure(context, upstream, error);
}

async function answerOf(
  context: Context,
  address: MirrorAddress,
  { method, path, accept }: UpstreamRequest,
): Promise<Response> {
  const { upstream, remote } = address;
  const { mirror, now } = context;
  const url = new URL(`${upstream.url}/v2/${remote}/${path}`);
  const outgoing = { method, url, headers: accept === undefined ? {} : { Accept: accept } };
  const key = `${upstream.name} ${remote}`;
  const response = await sendAuthorized(context, upstream, outgoing, mirror.token(key, now()), async (headers) => {
    mirror.forgetToken(key);
    const scope = `repository:${remote}:pull`;
    const { authorization, expiresAt } = await answerChallenge(context, upstream, headers, scope);
    mirror.keepToken(key, authorization, now(), expiresAt);
    return authorization;
  });
  return await judged(address, response);
}

/**
 * Sends a request with the Authorization that is known, if one is; and once more where the upstream wants another.
 * @param authorize makes that of the headers of its 401.
 * @returns an answer of any status but a redirect's, its body unread.
 * @throws UpstreamError
 */
export async function sendAuthorized(
  { fetch: fetcher }: Pick<Context, "fetch">,
  upstream: Upstream,
  outgoing: Outgoing,
  known: string | undefined,
  authorize: (headers: Headers) => Promise<string>,
): Promise<Response> {
  const ask = async (authorization: string | undefined) => {
    const headers = { ...outgoing.headers, ...(authorization !== undefined && { Authorization: authorization }) };
    return await send(fetcher, upstream, { ...outgoing, headers });
  };
  const first = await ask(known);
  // Where it led us to has no say in whom our credentials go to.
  if (first.response.status !== 401 || first.url.origin !== outgoing.url.origin) return first.response;
  await first.response.body?.cancel().catch(() => undefined);
  return (await ask(await authorize(first.response.headers))).response;
}

/** The answer, if it is one; else what it means. */
async function judged({ upstream, remote }: MirrorAddress, response: Response): Promise<Response> {
  const { status, headers } = response;
  if (status === 200) return response;
  await response.body?.cancel().catch(() => undefined);
  const { name } = upstream;
  if (status === 429) {
    const message = `${name} limits how often it is asked`;
    throw new UpstreamError("limited", message, { retryAfter: secondsOf(headers.get("Retry-After")) });
  }
  if (status === 404) throw new UpstreamError("unknown", `${name} has nothing of this name in ${remote}`);
  // Some answer so for what is not there, so as not to tell.
  if (status === 401 || status === 403)
    throw new UpstreamError("refused", `${name} lets nothing of ${remote} be pulled`);
  // It is not out of order: it does not do what it was asked, as registries do that have no API of referrers.
  if ([400, 405, 406, 501].includes(status)) {
    throw new UpstreamError("refused", `${name} answers a request of ${remote} with status ${status}`);
  }
  throw problem(upstream, `answers with status ${status}`);
}

/** RFC 9110, section 10.2.3, in seconds; a date is taken for no statement. */
function secondsOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}
