import type { IncomingMessage } from "node:http";
import * as v from "valibot";
import { type TokenCall, tokenCall } from "../distribution/authorizer.ts";
import type { Credentials } from "../stowage/credentials.ts";
import { passOn } from "./headers.ts";
import type { Answer, Upstream } from "./upstream.ts";

/** A token of a client, and the request that brings another one like it. */
interface Grant {
  readonly call: Omit<TokenCall, "url"> & { readonly path: string };
  header: string;
  endsAt: number;
}

/** Of those that were asked for last. */
const GRANTS_MAX = 1_000;
/** A token that ends so soon is renewed before a request, and not after it was refused. */
const RENEWED_BEFORE_MS = 30_000;
/** "Token Authentication Specification" of distribution: what a token lasts whose answer does not say. */
const TTL_S = 60;
/** A form is a few hundred bytes; tokens of other issuers that serve as passwords are a few thousand. */
const FORM_BYTES_MAX = 64 * 1024;
/** Who has not logged in says so by nothing, or, as Docker does, by an empty name and password. */
const NOBODY = new Set([undefined, "Basic Og=="]);

const TokenSchema = v.object({
  token: v.optional(v.string()),
  access_token: v.optional(v.string()),
  expires_in: v.optional(v.pipe(v.number(), v.minValue(0)), TTL_S),
});

/**
 * The registry's tokens. Who asks for one with credentials gets what they get; who has none is lent the relay's own. How each was
 * asked for is remembered, in memory alone, so that a layer that takes longer than its token can go on.
 */
export class Tokens {
  readonly #upstream: Upstream;
  readonly #lent: Credentials | undefined;
  readonly #grants = new Map<string, Grant>();

  /** @param lent what those are lent who come without credentials; undefined: nothing. */
  constructor(upstream: Upstream, lent: Credentials | undefined) {
    this.#upstream = upstream;
    this.#lent = lent;
  }

  /** Answers a request for a token. Undefined where its body is longer than any form. */
  async answer(request: IncomingMessage): Promise<Answer | undefined> {
    const form = await readForm(request);
    if (form === undefined) return undefined;
    const call = this.#isToBeLent(request) ? this.#lend(request.url ?? "") : passThrough(request, form);
    const answer = await this.#ask(call);
    const token = readToken(answer);
    if (token) this.#remember({ call, ...token });
    return answer;
  }

  /** The header that stands for a client's own: a newer token, where that one ends. */
  async current(authorization: string | undefined): Promise<string | undefined> {
    const grant = this.#grants.get(authorization ?? "");
    if (grant && grant.endsAt - Date.now() < RENEWED_BEFORE_MS) await this.#renew(grant);
    return grant?.header ?? authorization;
  }

  /** After a 401 to what {@link current} gave: whether there is another token now. */
  async renew(authorization: string | undefined): Promise<boolean> {
    const grant = this.#grants.get(authorization ?? "");
    return grant !== undefined && (await this.#renew(grant));
  }

  /** Pages of browsers say who they are; they have no part in the credentials of who runs the relay. */
  #isToBeLent({ method, headers }: IncomingMessage): boolean {
    const isOfPage = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
    return method === "GET" && this.#lent !== undefined && !isOfPage && NOBODY.has(headers.authorization);
  }

  /** Without what would last: no refresh token is lent. */
  #lend(path: string): Grant["call"] {
    const { url } = this.#upstream.endpoint;
    const asked = new URL(path, url).searchParams;
    const call = tokenCall(
      new URL("/token", url),
      asked.get("service") ?? undefined,
      asked.getAll("scope"),
      this.#lent,
    );
    return { ...call, path: call.url.pathname + call.url.search };
  }

  async #ask({ method, path, headers, body }: Grant["call"]): Promise<Answer> {
    const form = body === undefined ? undefined : Buffer.from(body);
    return await this.#upstream.ask({ method, path, headers: Object.entries(headers).flat(), body: form });
  }

  async #renew(grant: Grant): Promise<boolean> {
    const token = readToken(await this.#ask(grant.call));
    if (token) Object.assign(grant, token);
    return token !== undefined;
  }

  #remember(grant: Grant): void {
    this.#grants.set(grant.header, grant);
    const [oldest] = this.#grants.keys();
    if (this.#grants.size > GRANTS_MAX && oldest !== undefined) this.#grants.delete(oldest);
  }
}

function passThrough(request: IncomingMessage, form: Buffer): Grant["call"] {
  const raw = passOn(request.rawHeaders, "content-length");
  const headers = Object.fromEntries(
    raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ""]] : [])),
  );
  const method = request.method === "POST" ? "POST" : "GET";
  return { method, path: request.url ?? "", headers, ...(method === "POST" && { body: form.toString() }) };
}

async function readForm(request: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > FORM_BYTES_MAX) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function readToken({ status, body }: Answer): Pick<Grant, "header" | "endsAt"> | undefined {
  const parsed = status === 200 ? v.safeParse(TokenSchema, parseJson(body)) : undefined;
  if (parsed?.success !== true) return undefined;
  const { token, access_token: accessToken, expires_in: ttl } = parsed.output;
  const value = token ?? accessToken;
  return value === undefined ? undefined : { header: `Bearer ${value}`, endsAt: Date.now() + ttl * 1000 };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
