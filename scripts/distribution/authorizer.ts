import * as v from "valibot";
import { isLoopback } from "../stowage/registry.ts";
import { Failure } from "../local/failure.ts";
import type { Credentials } from "../stowage/credentials.ts";
import { Refusal } from "../stowage/http.ts";
import { type Challenge, parseChallenge } from "../../src/oci/challenge.ts";
import type { Endpoint } from "./endpoint.ts";
import { adviseLogin } from "./refusal.ts";
import { resolveUrl } from "./url.ts";

/** A request for a token, to whatever host issues them. */
export interface TokenCall {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** How the authorizer asks: without authorization, tried again where that helps. */
export interface Asker {
  /** The challenge of `GET /v2/`; undefined where it lets everybody in. */
  ping(): Promise<string | undefined>;
  /** The body of a 200. @throws Refusal, Failure */
  ask(call: TokenCall): Promise<string>;
}

const TokenSchema = v.object({
  token: v.optional(v.string()),
  access_token: v.optional(v.string()),
  expires_in: v.optional(v.pipe(v.number(), v.minValue(0))),
});

/** "Token Authentication Specification" of distribution: what a token lasts whose answer does not say. */
const TOKEN_TTL_S = 60;

interface Token {
  readonly header: string;
  readonly endsAt: number;
}

/** Finds out what a registry asks for, and gives it: nothing, Basic credentials, or tokens of some minutes for scopes. */
export class Authorizer {
  readonly #endpoint: Endpoint;
  readonly #asker: Asker;
  readonly #tokens = new Map<string, Promise<Token>>();
  #challenge: Promise<Challenge | undefined> | undefined;

  constructor(endpoint: Endpoint, asker: Asker) {
    this.#endpoint = endpoint;
    this.#asker = asker;
  }

  /**
   * The Authorization header for scopes, such as `repository:team/web:pull`; undefined where none is needed. At most a ping
   * and a request for a token, none while they are known.
   * @throws Failure where the credentials are refused.
   */
  async authorize(scopes: readonly string[]): Promise<string | undefined> {
    this.#challenge ??= this.#learn();
    const challenge = await this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === "basic") return this.#basic();
    const key = scopes.join(" ");
    const known = this.#tokens.get(key);
    const token = await known;
    if (token !== undefined && Date.now() < token.endsAt) return token.header;
    // Of those who find none, or an old one, at the same time, one fetches it for all.
    const newer = this.#tokens.get(key);
    const fetched = newer === undefined || newer === known ? this.#fetch(challenge, scopes) : newer;
    this.#tokens.set(key, fetched);
    fetched.catch(() => this.#tokens.delete(key));
    return (await fetched).header;
  }

  /** Takes back what was refused: the next request gets what this challenge, of a 401, asks for. */
  renew(header: string | undefined): void {
    this.#tokens.clear();
    const challenge = parseChallenge(header ?? "");
    if (challenge) this.#challenge = Promise.resolve(challenge);
  }

  async #learn(): Promise<Challenge | undefined> {
    try {
      return parseChallenge((await this.#asker.ping()) ?? "");
    } catch (error) {
      this.#challenge = undefined;
      throw error;
    }
  }

  #basic(): string | undefined {
    const { credentials, host } = this.#endpoint;
    if (credentials?.kind !== "identity token") return credentials && basicHeader(credentials);
    throw new Failure(`${host} takes passwords alone, and ${credentials.source} holds a token: log in with a password`);
  }

  async #fetch(challenge: Challenge & { scheme: "bearer" }, scopes: readonly string[]): Promise<Token> {
    const { host, credentials } = this.#endpoint;
    const call = tokenCall(this.#realm(challenge.realm), challenge.service, scopes, credentials);
    const askedAt = Date.now();
    const body = await this.#asker.ask(call).catch((error: unknown) => {
      const isRefused = error instanceof Refusal && [400, 401, 403].includes(error.status);
      if (!isRefused) throw error;
      if (credentials === undefined) throw new Failure(`${error.message}: ${adviseLogin(this.#endpoint)}`);
      throw new Failure(`${host} refuses the credentials of ${credentials.source}: ${error.message}`);
    });
    const answer = v.safeParse(TokenSchema, parseJson(body));
    const token = answer.success ? (answer.output.token ?? answer.output.access_token) : undefined;
    if (!answer.success || token === undefined) throw new Failure(`${call.url.host} answers with no token: try again`);
    const ttl = answer.output.expires_in ?? TOKEN_TTL_S;
    // A token that ends on its way is asked for in vain.
    return { header: `Bearer ${token}`, endsAt: askedAt + (ttl - Math.min(ttl / 5, 15)) * 1000 };
  }

  /** Passwords go there: over TLS, or to this machine, or where the registry itself has none. */
  #realm(text: string): URL {
    const { url, host } = this.#endpoint;
    const realm = resolveUrl(text, url);
    const isSafe = realm?.protocol === "https:" || (realm?.protocol === "http:" && isPlain(url, realm));
    if (realm && isSafe) return realm;
    throw new Failure(`${host} sends log-ins to ${text}, which is not safe: ask who runs it`);
  }
}

function isPlain(registry: URL, realm: URL): boolean {
  return registry.protocol === "http:" && (realm.hostname === registry.hostname || isLoopback(registry.hostname));
}

/** Docker's two ways to a token: its "Token Authentication Specification", and "OAuth2" for what log-ins left. */
export function tokenCall(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  credentials: Credentials | undefined,
): TokenCall {
  const url = new URL(realm);
  if (credentials?.kind === "identity token") {
    const grant = { grant_type: "refresh_token", refresh_token: credentials.token, client_id: "stowage" };
    const form = new URLSearchParams({ ...grant, service: service ?? "", scope: scopes.join(" ") });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { method: "POST", url, headers, body: form.toString() };
  }
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return { method: "GET", url, headers: credentials ? { authorization: basicHeader(credentials) } : {} };
}

function basicHeader({ username, password }: Credentials & { kind: "password" }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
