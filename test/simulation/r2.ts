import { createHash } from "node:crypto";
import type { Network } from "./network.ts";
import type { Run } from "./run.ts";
import { SimulatedStream } from "./streams.ts";

/** What lies under a key. */
export interface StoredObject {
  readonly bytes: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly uploaded: number;
  /** Who stored it. */
  readonly run: Run;
}

interface Upload {
  readonly key: string;
  readonly run: Run;
  readonly parts: Map<number, { readonly etag: string; readonly bytes: Uint8Array }>;
}

type Value = Uint8Array | ArrayBuffer | SimulatedStream;
type Checksums = Pick<R2PutOptions, "sha256" | "sha512">;

/** R2's own words for what src and its callers can meet. */
const CHECKSUM_MISMATCH = "The SHA-256 checksum you specified did not match what we received. (10037)";
const NO_SUCH_UPLOAD = "The specified multipart upload does not exist. (10024)";
const INVALID_PART = "One or more of the specified parts could not be found. (10025)";

/** R2 in memory. */
export class SimulatedR2 {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, Upload>();
  #etags = 0;
  readonly #network: Network;
  readonly #now: () => number;

  constructor(network: Network, now: () => number) {
    this.#network = network;
    this.#now = now;
  }

  /** The binding as one run has it: each call is one that the scheduler owns. */
  bindingFor(run: Run): R2Bucket {
    const call = async <T>(label: string, effect: () => T): Promise<T> =>
      await this.#network.call(run, `R2 ${label}`, effect);
    const binding = {
      put: async (key: string, value: Value, options: Checksums = {}) => {
        if (value instanceof SimulatedStream) await this.#network.mayRefuse(run, `R2 put ${key}`, value);
        const bytes = await toBytes(value);
        return await call(`put ${key}`, () => this.#put(run, key, bytes, options));
      },
      get: async (key: string, options: { range?: { offset: number; length: number } } = {}) =>
        await call(`get ${key}`, () => this.#get(key, options.range)),
      head: async (key: string) => await call(`head ${key}`, () => this.#describe(key)),
      delete: async (keys: string | string[]) =>
        await call(`delete ${String(keys)}`, () => {
          for (const key of [keys].flat()) this.objects.delete(key);
        }),
      list: async (options: R2ListOptions = {}) => await call("list", () => this.#list(options)),
      createMultipartUpload: async (key: string) => {
        const id = await call(`create ${key}`, () => {
          const uploadId = `upload-of-${key}`;
          this.uploads.set(uploadId, { key, run, parts: new Map() });
          return uploadId;
        });
        return this.#multipart(run, key, id);
      },
      resumeMultipartUpload: (key: string, id: string) => this.#multipart(run, key, id),
    };
    return binding as unknown as R2Bucket;
  }

  #put(run: Run, key: string, bytes: Uint8Array, checksums: Checksums): { key: string; size: number } {
    for (const [algorithm, expected] of Object.entries(checksums)) {
      if (createHash(algorithm).update(bytes).digest("hex") !== expected) throw new Error(`put: ${CHECKSUM_MISMATCH}`);
    }
    this.objects.set(key, { bytes, uploaded: this.#now(), run });
    return { key, size: bytes.byteLength };
  }

  #describe(key: string) {
    const object = this.objects.get(key);
    return object ? { key, size: object.bytes.byteLength, uploaded: new Date(object.uploaded) } : null;
  }

  /** Who has begun to read an object reads it to its end, whatever becomes of it. */
  #get(key: string, range: { offset: number; length: number } | undefined) {
    const object = this.objects.get(key);
    if (!object) return null;
    const bytes = range ? object.bytes.slice(range.offset, range.offset + range.length) : object.bytes;
    return { ...this.#describe(key), body: SimulatedStream.ofBytes(bytes) };
  }

  #list({ prefix = "", cursor = "", startAfter = "", limit = 1_000 }: R2ListOptions) {
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix) && key > cursor && key > startAfter)
      .sort();
    const page = keys.slice(0, limit);
    const objects = page.map((key) => this.#describe(key));
    return page.length < keys.length
      ? { objects, truncated: true, cursor: page.at(-1) }
      : { objects, truncated: false };
  }

  #multipart(run: Run, key: string, id: string) {
    const call = async <T>(label: string, effect: (upload: Upload) => T): Promise<T> =>
      await this.#network.call(run, `R2 ${label} ${key}`, () => {
        const upload = this.uploads.get(id);
        if (upload?.key !== key) throw new Error(`${label}: ${NO_SUCH_UPLOAD}`);
        return effect(upload);
      });
    return {
      key,
      uploadId: id,
      uploadPart: async (partNumber: number, value: Value) => {
        const bytes = await toBytes(value);
        return await call("uploadPart", (upload) => {
          this.#etags += 1;
          const etag = `etag${this.#etags}`;
          upload.parts.set(partNumber, { etag, bytes });
          return { partNumber, etag };
        });
      },
      complete: async (parts: readonly R2UploadedPart[]) =>
        await call("complete", (upload) => {
          const bytes = join(upload, parts);
          this.uploads.delete(id);
          return this.#put(run, key, bytes, {});
        }),
      abort: async () =>
        await call("abort", () => {
          this.uploads.delete(id);
        }),
    };
  }
}

/** The bytes of an upload's parts. R2 wants those parts that it gave the etags for, all of one size but for a smaller last one. */
function join(upload: Upload, parts: readonly R2UploadedPart[]): Uint8Array {
  const stored = parts.map(({ partNumber, etag }) => {
    const part = upload.parts.get(partNumber);
    if (part?.etag !== etag) throw new Error(`complete: ${INVALID_PART}`);
    return part.bytes;
  });
  const size = stored[0]?.byteLength ?? 0;
  const isUneven = stored.some((part, i) =>
    i < stored.length - 1 ? part.byteLength !== size : part.byteLength > size,
  );
  if (isUneven) throw new Error("complete: all non-trailing parts must have the same length. (10048)");
  return new Uint8Array(Buffer.concat(stored));
}

/** A copy: src writes into its buffers again. */
async function toBytes(value: Value): Promise<Uint8Array> {
  if (value instanceof SimulatedStream) return await value.collect();
  return new Uint8Array(value).slice();
}
