import { SHA256 } from "@stablelib/sha256";
import { SHA512 } from "@stablelib/sha512";
import { type Digest, type DigestAlgorithm, digestFromHash, webCryptoName } from "../oci/digest.ts";
import type { UploadHash, UploadSession } from "../oci/upload-session.ts";

/** A hash that is fed while bytes pass, and tells at the end what is known. */
export interface StreamHash {
  update(bytes: Uint8Array): Promise<void>;
  /** What is known after the last byte. Call it once. */
  end(): Promise<UploadHash>;
}

/** The runtime's own hash, at memory speed. It cannot be interrupted: it ends in a digest. */
export class NativeHash implements StreamHash {
  readonly #algorithm: DigestAlgorithm;
  readonly #stream: DigestStream;
  readonly #writer: WritableStreamDefaultWriter<ArrayBuffer | ArrayBufferView>;

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
    this.#stream = new crypto.DigestStream(webCryptoName(algorithm));
    this.#writer = this.#stream.getWriter();
  }

  async update(bytes: Uint8Array): Promise<void> {
    await this.#writer.write(bytes);
  }

  async end(): Promise<UploadHash & { readonly kind: "digest" }> {
    await this.#writer.close();
    return { kind: "digest", digest: digestFromHash(this.#algorithm, await this.#stream.digest) };
  }
}

type Resumable = SHA256 | SHA512;

function newResumable(algorithm: DigestAlgorithm): Resumable {
  return algorithm === "sha256" ? new SHA256() : new SHA512();
}

/** The state's typed arrays as plain ones, with the name of what they were. */
function serialiseState(hash: Resumable): string {
  return JSON.stringify(hash.saveState(), (_key, value: unknown) => {
    if (value instanceof Int32Array) return { int32: [...value] };
    return value instanceof Uint8Array ? { uint8: [...value] } : value;
  });
}

function restoreState(algorithm: DigestAlgorithm, text: string): Resumable {
  const state: unknown = JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    if ("int32" in value) return new Int32Array(value.int32 as number[]);
    return "uint8" in value ? new Uint8Array(value.uint8 as number[]) : value;
  });
  const hash = newResumable(algorithm);
  // saveState() of this class gave the text: each class takes back its own state.
  (hash.restoreState as (saved: unknown) => void).call(hash, state);
  return hash;
}

/** A hash in JavaScript, about ten times slower than the runtime's, whose state survives the request. */
class ResumableHash implements StreamHash {
  readonly #hash: Resumable;

  constructor(hash: Resumable) {
    this.#hash = hash;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the interface is that of the native hash
  async update(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async end(): Promise<UploadHash> {
    return { kind: "state", state: serialiseState(this.#hash) };
  }
}

/**
 * The hash for the next chunk of an upload; undefined where what came before cannot be hashed on.
 * @param outlook `more-to-come` for a chunk that its client announced as one among several: the hash must then survive
 * this request.
 */
export function hashForChunk(session: UploadSession, outlook: "last" | "more-to-come"): StreamHash | undefined {
  const { algorithm, hash, received } = session;
  if (received === 0)
    return outlook === "more-to-come" ? new ResumableHash(newResumable(algorithm)) : new NativeHash(algorithm);
  return hash?.kind === "state" ? new ResumableHash(restoreState(algorithm, hash.state)) : undefined;
}

/** The digest that an upload's hash, made with `algorithm`, stands for; undefined if another algorithm is `wanted`. */
export function digestOf(
  algorithm: DigestAlgorithm,
  hash: UploadHash | undefined,
  wanted: DigestAlgorithm,
): Digest | undefined {
  if (hash === undefined || algorithm !== wanted) return undefined;
  return hash.kind === "digest" ? hash.digest : digestFromHash(wanted, restoreState(wanted, hash.state).digest());
}

/** The digest of a stream's bytes, natively and without keeping them. */
export async function digestStream(algorithm: DigestAlgorithm, stream: ReadableStream<Uint8Array>): Promise<Digest> {
  const digester = new crypto.DigestStream(webCryptoName(algorithm));
  await stream.pipeTo(digester);
  return digestFromHash(algorithm, await digester.digest);
}
