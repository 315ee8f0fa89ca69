import * as v from "valibot";
import { isLoopback, isSafeTransport } from "../policy/issuer.ts";
import { type JsonWebKeySet, usableKeys } from "../policy/key-set.ts";

/** The largest known documents of issuers have some 20 KiB. */
const DOCUMENT_SIZE_MAX_BYTES = 256 * 1024;

/** Why an issuer's keys are not to be had. The message is for the log: it may say what only the operator should know. */
export class KeySetError extends Error {
  override readonly name = "KeySetError";

  constructor(issuer: string, problem: string, options?: ErrorOptions) {
    super(`issuer ${issuer} ${problem}`, options);
  }
}

/** OpenID Connect Discovery 1.0, section 3; what is needed of it. */
const MetadataSchema = v.object({ issuer: v.string(), jwks_uri: v.pipe(v.string(), v.url()) });

/**
 * Asks an issuer for its keys, in two requests: where they are, and what they are.
 * @throws KeySetError when an answer is none, or not to be trusted; whatever `signal` aborts with.
 */
export async function fetchKeySet(fetcher: typeof fetch, issuer: string, signal: AbortSignal): Promise<JsonWebKeySet> {
  // OpenID Connect Discovery 1.0, section 4.1: a terminating slash MUST be removed before the path is appended.
  const metadataUrl = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const metadata = v.safeParse(MetadataSchema, await fetchJson({ fetcher, issuer, signal }, metadataUrl));
  if (!metadata.success) throw new KeySetError(issuer, "describes itself with no issuer or jwks_uri");
  // Section 4.3: the issuer MUST be the one that was asked, exactly.
  if (metadata.output.issuer !== issuer) throw new KeySetError(issuer, "describes itself as another issuer");
  const keysUrl = new URL(metadata.output.jwks_uri);
  if (!isSafeTransport(keysUrl, isLoopback(new URL(issuer)))) {
    throw new KeySetError(issuer, "has a jwks_uri that is not https");
  }
  const keySet = usableKeys(await fetchJson({ fetcher, issuer, signal }, keysUrl.href));
  if (!keySet) throw new KeySetError(issuer, "has at its jwks_uri no key set, or one of too many keys");
  if (keySet.keys.length === 0) throw new KeySetError(issuer, "has no public key of a known type");
  return keySet;
}

interface Exchange {
  readonly fetcher: typeof fetch;
  readonly issuer: string;
  readonly signal: AbortSignal;
}

async function fetchJson({ fetcher, issuer, signal }: Exchange, url: string): Promise<unknown> {
  const headers = { Accept: "application/json", "User-Agent": "stowage" };
  // A redirect is not followed: only what the issuer names answers for it. Workers know no "error" here.
  const response = await fetcher(url, { headers, redirect: "manual", signal }).catch((cause: unknown) => {
    throw new KeySetError(issuer, `cannot be reached: ${messageOf(cause)}`, { cause });
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new KeySetError(issuer, `answered with status ${response.status}`);
  }
  const text = await readText(response, issuer, signal);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KeySetError(issuer, "answered something that is not JSON", { cause });
  }
}

/** Stops reading where it gets too much, whatever length the answer states, and when time is over. */
async function readText({ body }: Response, issuer: string, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  const reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
  let text = "";
  let size = 0;
  try {
    for (;;) {
      const chunk = await reader?.read();
      if (chunk?.value === undefined) return text + decoder.decode();
      size += chunk.value.byteLength;
      if (size > DOCUMENT_SIZE_MAX_BYTES)
        throw new KeySetError(issuer, `answered more than ${DOCUMENT_SIZE_MAX_BYTES} bytes`);
      signal.throwIfAborted();
      text += decoder.decode(chunk.value, { stream: true });
    }
  } catch (cause) {
    reader?.cancel().catch(() => undefined);
    if (cause instanceof KeySetError) throw cause;
    throw new KeySetError(issuer, `broke off its answer: ${messageOf(cause)}`, { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
