import * as v from "valibot";
import type { Context } from "../context.ts";
import { type Challenge, parseChallenge } from "../oci/challenge.ts";
import type { Upstream } from "../policy/upstream.ts";
import { readAnswer } from "./answer-body.ts";
import { problem, send } from "./transport.ts";
import { UpstreamError } from "./upstream-error.ts";

/** The largest tokens known have some 10 kB. */
const ANSWER_MAX_BYTES = 64 * 1024;

/** Docker's token specification: what an answer does not say is a minute. */
const LIFETIME_SECONDS = 60;

/** A token is not used in its last seconds, which the way there and another clock may take. */
const MARGIN_MS = 5_000;

const AnswerSchema = v.object({
  token: v.optional(v.string()),
  access_token: v.optional(v.string()),
  expires_in: v.optional(v.pipe(v.number(), v.minValue(0))),
});

/** What tokens are fetched with. */
type TokenClient = Pick<Context, "fetch" | "now">;

/** An Authorization header, and until when it is worth something: milliseconds since the epoch. */
export interface UpstreamAuthorization {
  readonly authorization: string;
  readonly expiresAt: number;
}

/**
 * The Authorization that an upstream's challenge asks for: a token for a scope, or Basic.
 * @param headers those of its 401.
 * @throws UpstreamError
 */
export async function answerChallenge(
  client: TokenClient,
  upstream: Upstream,
  headers: Headers,
  scope?: string,
): Promise<UpstreamAuthorization> {
  const challenge = parseChallenge(headers.get("WWW-Authenticate") ?? "");
  if (challenge?.scheme === "bearer") return await fetchToken(client, upstream, challenge, scope ?? challenge.scope);
  const basic = challenge?.scheme === "basic" ? basicOf(upstream) : undefined;
  if (basic === undefined) throw new UpstreamError("refused", `${upstream.name} wants credentials, and has none here`);
  return { authorization: basic, expiresAt: Infinity };
}

/** The Basic credentials of an upstream, if it has any. */
function basicOf({ credentials }: Upstream): string | undefined {
  if (credentials === undefined) return undefined;
  const { username, password } = credentials;
  return `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
}

/**
 * Docker's "Token Authentication Specification": asks the upstream's token service for leave to pull, as who the settings say, or as
 * anyone. The upstream itself says where that service is, so it must be as safe as the upstream.
 * @throws UpstreamError refused where it lets us have nothing; limited; unavailable.
 */
async function fetchToken(
  { fetch: fetcher, now }: TokenClient,
  upstream: Upstream,
  challenge: Challenge & { readonly scheme: "bearer" },
  scope: string | undefined,
): Promise<UpstreamAuthorization> {
  if (!URL.canParse(challenge.realm)) throw problem(upstream, "has a token service that is no address");
  const url = new URL(challenge.realm);
  if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
  if (scope !== undefined) url.searchParams.set("scope", scope);
  const basic = basicOf(upstream);
  const askedAt = now();
  const { response } = await send(fetcher, upstream, {
    ...{ method: "GET", url },
    headers: { Accept: "application/json", ...(basic !== undefined && { Authorization: basic }) },
  });
  if (response.status !== 200) {
    await response.body?.cancel().catch(() => undefined);
    if (response.status === 429) throw new UpstreamError("limited", `${upstream.name} gives no more tokens for now`);
    if ([401, 403].includes(response.status)) {
      const who = basic === undefined ? "without credentials" : "its credentials";
      throw new UpstreamError("refused", `${upstream.name} does not accept ${who}`);
    }
    throw problem(upstream, `has a token service that answers with status ${response.status}`);
  }
  const answer = v.safeParse(AnswerSchema, parseJson(await readAnswer(upstream, response, ANSWER_MAX_BYTES)));
  const token = answer.success ? (answer.output.token ?? answer.output.access_token) : undefined;
  if (!answer.success || token === undefined) throw problem(upstream, "has a token service that gives no token");
  const lifetimeMs = (answer.output.expires_in ?? LIFETIME_SECONDS) * 1000;
  return { authorization: `Bearer ${token}`, expiresAt: askedAt + lifetimeMs - MARGIN_MS };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
