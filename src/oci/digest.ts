import { OciError } from "./error.ts";

/** The algorithms registered by the image spec ("Registered algorithms") and the length of their hex encoding. */
const HEX_LENGTHS = { sha256: 64, sha512: 128 } as const;

export type DigestAlgorithm = keyof typeof HEX_LENGTHS;

/** `algorithm:hex`, valid: only the makers of this file give one. */
export type Digest = string & { readonly __brand: "Digest" };

/** The algorithm of whoever states none: the spec's canonical one. */
export const CANONICAL_ALGORITHM: DigestAlgorithm = "sha256";

/** Throws DIGEST_INVALID for an algorithm that is not registered. */
export function parseAlgorithm(text: string): DigestAlgorithm {
  if (!Object.hasOwn(HEX_LENGTHS, text)) {
    throw new OciError("DIGEST_INVALID", {
      message: `digest algorithm is not supported; use one of: ${Object.keys(HEX_LENGTHS).join(", ")}`,
      detail: { algorithm: text.slice(0, 64) },
    });
  }
  return text as DigestAlgorithm;
}

/** True for a text that {@link parseDigest} accepts. */
export function isDigest(text: string): text is Digest {
  const [algorithm = "", hex = "", ...rest] = text.split(":");
  if (rest.length > 0 || !Object.hasOwn(HEX_LENGTHS, algorithm)) return false;
  return hex.length === HEX_LENGTHS[algorithm as DigestAlgorithm] && /^[0-9a-f]+$/.test(hex);
}

/** Image spec, "Digests". Throws DIGEST_INVALID; hex in upper case is invalid, as the spec says. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const algorithm = text.split(":", 1)[0] ?? "";
  if (text.includes(":")) parseAlgorithm(algorithm);
  throw new OciError("DIGEST_INVALID", {
    message: "digest is malformed: expected algorithm:hex, in lower case and of the algorithm's length",
    detail: { digest: text.slice(0, 160) },
  });
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** The part after the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** A digest from the raw bytes of a hash. */
export function digestFromHash(algorithm: DigestAlgorithm, hash: ArrayBuffer | Uint8Array): Digest {
  const bytes = hash instanceof Uint8Array ? hash : new Uint8Array(hash);
  return `${algorithm}:${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}` as Digest;
}

const SUBTLE_NAMES = { sha256: "SHA-256", sha512: "SHA-512" } as const;

/** The name by which Web Crypto knows the algorithm. */
export function webCryptoName(algorithm: DigestAlgorithm): "SHA-256" | "SHA-512" {
  return SUBTLE_NAMES[algorithm];
}

/** What Web Crypto hashes: a browser's types differ from a Worker's. */
type Bytes = Parameters<typeof crypto.subtle.digest>[1];

/** The digest of bytes that are in memory. */
export async function computeDigest(algorithm: DigestAlgorithm, bytes: Bytes): Promise<Digest> {
  return digestFromHash(algorithm, await crypto.subtle.digest(webCryptoName(algorithm), bytes));
}
