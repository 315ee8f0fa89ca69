import { createHash } from "node:crypto";
import { type Digest, digestAlgorithm, type DigestAlgorithm, digestFromHash } from "../../src/oci/digest.ts";

/** The digest of bytes that are in memory. */
export function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): Digest {
  return digestFromHash(algorithm, createHash(algorithm).update(bytes).digest());
}

/** The digest of bytes that come by and by, by the algorithm of the one that they should have. */
export class RunningDigest {
  readonly #algorithm: DigestAlgorithm;
  readonly #hash;
  /** How many bytes it knows, from the first one on. */
  position = 0;

  constructor(like: Digest) {
    this.#algorithm = digestAlgorithm(like);
    this.#hash = createHash(this.#algorithm);
  }

  /** Takes bytes that lie at a place; those that it knows already, as they came before, do not count twice. */
  update(bytes: Uint8Array, at: number): void {
    const fresh = bytes.subarray(Math.max(0, this.position - at));
    if (fresh.length === 0) return;
    this.#hash.update(fresh);
    this.position += fresh.length;
  }

  /** Once, after the last byte. */
  finish(): Digest {
    return digestFromHash(this.#algorithm, this.#hash.digest());
  }
}
