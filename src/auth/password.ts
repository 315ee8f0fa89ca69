/**
 * How passwords of accounts are kept: PBKDF2 with HMAC-SHA-512 (RFC 8018, section 5.2), the one slow hash that Workers have in
 * native code, and cap at 100,000 iterations: 45 ms on one core. The parameters stand beside the hash, as in
 * `pbkdf2-sha512:100000:<salt>:<hash>`, so that they may change: a password that proves itself under older ones is hashed anew.
 */
const SCHEME = "pbkdf2-sha512";
const SALT_BYTES = 16;
const HASH_BITS = 256;

/** What people choose may be no shorter; longer ones than this are no passwords. */
export const PASSWORD_LENGTH_MIN = 12;
export const PASSWORD_LENGTH_MAX = 256;

interface PasswordHash {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

async function derive(password: string, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
  // The same characters may come in several encodings, by keyboard (RFC 8265, section 4.2).
  const bytes = new TextEncoder().encode(password.normalize("NFC"));
  const key = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-512", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, HASH_BITS));
}

/** The text to store for a password. */
export async function hashPassword(password: string, iterations: number): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const hash = await derive(password, salt, iterations);
  return [SCHEME, iterations, salt.toBase64(), hash.toBase64()].join(":");
}

function parseHash(stored: string): PasswordHash {
  const [scheme, iterations = "", salt = "", hash = ""] = stored.split(":");
  if (scheme !== SCHEME) throw new Error("a password is stored by an unknown scheme");
  return { iterations: Number(iterations), salt: Uint8Array.fromBase64(salt), hash: Uint8Array.fromBase64(hash) };
}

/** Whether a stored hash was made with other parameters than those of today. */
export function isOutdated(stored: string, iterations: number): boolean {
  return parseHash(stored).iterations !== iterations;
}

/** Pairs that this isolate has seen to fit. A script that sends Basic with each request pays for the slow hash once. */
const KNOWN_MAX = 1_000;
const known = new Set<string>();
let knownKey: CryptoKey | undefined;

/** A name for a pair that tells nothing of it, even to who reads the memory but for the key. */
async function nameOf(password: string, stored: string): Promise<string> {
  knownKey ??= (await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"])) as CryptoKey;
  const pair = new TextEncoder().encode(JSON.stringify([stored, password]));
  return new Uint8Array(await crypto.subtle.sign("HMAC", knownKey, pair)).toBase64();
}

/** Whether the stored hash is this password's. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const name = await nameOf(password, stored);
  if (known.has(name)) return true;
  const { iterations, salt, hash } = parseHash(stored);
  const derived = await derive(password, salt, iterations);
  if (!crypto.subtle.timingSafeEqual(derived, hash)) return false;
  const [oldest] = known;
  if (known.size >= KNOWN_MAX && oldest !== undefined) known.delete(oldest);
  known.add(name);
  return true;
}

/** Takes as long as {@link verifyPassword} of a wrong password, for an account that does not exist: time must not tell. */
export async function verifyNothing(password: string, iterations: number): Promise<false> {
  await derive(password, new Uint8Array(SALT_BYTES), iterations);
  return false;
}

/** Letters and digits that nobody mistakes for each other: 5 bits each. */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
const GENERATED_LENGTH = 24;

/** A password that nobody has to think of: 120 random bits. */
export function generatePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(GENERATED_LENGTH));
  return Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]).join("");
}
