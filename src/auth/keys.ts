import type { Config } from "../config.ts";

/** A secret that signs tokens, under the name by which a token says which one signed it. */
interface SigningKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** The key that signs, and all that verify. */
export interface SigningKeys {
  readonly current: SigningKey;
  readonly byId: ReadonlyMap<string, Uint8Array>;
}

const ID_LENGTH = 8;

/** The name says nothing of the secret, which may not be guessable, and is the same wherever that is set. */
async function toSigningKey(text: string): Promise<SigningKey> {
  const secret = new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const name = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode("stowage key id"));
  return { id: new Uint8Array(name).toHex().slice(0, ID_LENGTH), secret };
}

const keysOf = new WeakMap<Config, Promise<SigningKeys>>();

/** The keys of the configured secrets, made once for each configuration. */
export async function signingKeys(config: Config): Promise<SigningKeys> {
  const known = keysOf.get(config);
  if (known) return await known;
  const made = makeKeys(config);
  keysOf.set(config, made);
  return await made;
}

async function makeKeys({ tokenSecrets: [first, ...others] }: Config): Promise<SigningKeys> {
  const [current, ...previous] = await Promise.all([toSigningKey(first), ...others.map(toSigningKey)]);
  return { current, byId: new Map([current, ...previous].map(({ id, secret }) => [id, secret])) };
}

/**
 * Names for the bootstrap account's password, which change with it and tell nothing of it, not even to who could guess: one
 * for each secret, the one that signs first.
 */
export async function fingerprints({ tokenSecrets, adminPassword }: Config): Promise<string[]> {
  const keys = await Promise.all(tokenSecrets.map(async (secret) => await toSigningKey(`${secret}\n${adminPassword}`)));
  return keys.map(({ id }) => id);
}
