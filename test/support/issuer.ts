import { CompactSign, exportJWK, generateKeyPair, type GenerateKeyPairResult, type JWK } from "jose";
import type { Network } from "../../src/auth/key-sets.ts";

/** Where the clock of the tests stands; nobody waits for it. */
export const NOW = Date.UTC(2026, 6, 28, 12);

export const REGISTRY_ORIGIN = "https://registry.example";

/** A key pair of a scripted issuer. */
export interface IssuerKey {
  readonly algorithm: string;
  readonly kid: string;
  readonly privateKey: GenerateKeyPairResult["privateKey"];
  readonly publicKey: GenerateKeyPairResult["publicKey"];
  readonly publicJwk: JWK;
}

export async function makeKey(algorithm: string, kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" };
  return { algorithm, kid, privateKey, publicKey, publicJwk };
}

let issuers = 0;

/** An issuer that no other test knows: an isolate keeps what it learns of one. */
export const freshIssuer = (): string => `https://issuer-${++issuers}.example`;

/** What the network answers; undefined for 404. */
export type Script = (url: string, signal: AbortSignal) => Response | undefined | Promise<Response | undefined>;

/** The answers of an issuer as it should be, but for what is changed in its metadata. */
export function publish(issuer: string, keys: () => readonly unknown[], change: object = {}): Script {
  const metadata = { issuer, jwks_uri: `${issuer}/keys`, response_types_supported: ["id_token"], ...change };
  return (url) => {
    if (url === `${issuer}/.well-known/openid-configuration`) return Response.json(metadata);
    return url === metadata.jwks_uri ? Response.json({ keys: keys() }) : undefined;
  };
}

export interface ScriptedNetwork extends Network {
  /** The URLs that were asked for. */
  readonly calls: readonly string[];
  readonly requests: readonly RequestInit[];
  /** Sets the clock forward. */
  pass(ms: number): void;
  /** What is answered from now on. */
  answer(script: Script): void;
}

/** A network that answers by a script, and whose clock is set by hand. */
export function scriptNetwork(script: Script): ScriptedNetwork {
  const calls: string[] = [];
  const requests: RequestInit[] = [];
  let time = NOW;
  let current = script;
  return {
    calls,
    requests,
    now: () => time,
    pass: (ms) => void (time += ms),
    answer: (next) => void (current = next),
    // As in Workers, it refuses to be another object's method.
    fetch: async function (this: unknown, input: RequestInfo | URL, init: RequestInit = {}) {
      if (this !== undefined) throw new TypeError("Illegal invocation");
      const { url } = new Request(input);
      calls.push(url);
      requests.push(init);
      return (await current(url, init.signal!)) ?? new Response("not found", { status: 404 });
    },
  };
}

/** What is changed in a token; a change to undefined takes away. */
export interface TokenParts {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** The claims of a token in the shape of GitHub's. */
export function claimsOf(issuer: string, changes: TokenParts["claims"] = {}): Record<string, unknown> {
  const seconds = NOW / 1000;
  return {
    ...{ iss: issuer, aud: "stowage", sub: "repo:octo-org/octo-repo:ref:refs/heads/main" },
    ...{ repository: "octo-org/octo-repo", repository_owner: "octo-org", ref: "refs/heads/main" },
    ...{ iat: seconds, nbf: seconds, exp: seconds + 300 },
    ...changes,
  };
}

/** A token of these claims. */
export async function signToken(key: IssuerKey, issuer: string, { header, claims }: TokenParts = {}): Promise<string> {
  return await signText(key, JSON.stringify(claimsOf(issuer, claims)), header);
}

/** A token of whatever text, which no library would sign as claims. */
export async function signText(key: IssuerKey, text: string, header: TokenParts["header"] = {}): Promise<string> {
  return await new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: "JWT", ...header })
    .sign(key.privateKey, { crit: { new: true } });
}
