export type Algorithm = "sha256" | "sha512";

/** Bytes that are different for each seed, the same each time, and no two parts of which are alike. */
export function makeBytes(size: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let i = 0; i < words.length; i += 1) {
    // Xorshift: enough that bytes in a wrong place change a digest.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** The digest of bytes, computed apart from the code under test. */
export async function digestOf(bytes: Uint8Array | string, algorithm: Algorithm = "sha256"): Promise<string> {
  const name = algorithm === "sha256" ? "SHA-256" : "SHA-512";
  return `${algorithm}:${new Uint8Array(await crypto.subtle.digest(name, toBytes(bytes))).toHex()}`;
}

export function toBytes(content: Uint8Array | string): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** Cuts bytes into pieces of one size, but for the last. */
export function* inPieces(bytes: Uint8Array, size: number): Generator<Uint8Array, void> {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size);
}
