import type { Context } from "../context.ts";
import { type Compression, compressionOf } from "../oci/compression.ts";
import {
  CANONICAL_ALGORITHM,
  computeDigest,
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  isDigest,
} from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { malformedArchive } from "../oci/tar-header.ts";
import { readBody } from "../storage/body-reader.ts";
import { ByteSource } from "../storage/byte-source.ts";
import { decompress } from "../storage/decompression.ts";
import { NativeHash } from "../storage/hashing.ts";
import { newBlobKey } from "../storage/keys.ts";
import { getBytes, PUT_MAX_BYTES, putVerified } from "../storage/objects.ts";
import { type PartBuffer, partBuffers } from "../storage/part-buffers.ts";
import type { CreatedObject } from "../storage/part-writer.ts";
import { putHashed } from "../storage/streamed-put.ts";
import { readTar, type TarEntry } from "../storage/tar-reader.ts";

/** Files up to this size stay in memory, as long as there is room: most of them are no content of the image, or say what is. */
const SMALL_MAX_BYTES = 64 * 1024;
const KEPT_MAX_BYTES = 4 * 1024 * 1024;

/** What is read as JSON: no manifest is larger, and hardly any config. */
const JSON_MAX_BYTES = 4 * 1024 * 1024;

/** Each is a put to R2, of which a request may do a thousand. The images of an index have a few hundred layers together. */
const OBJECTS_MAX = 500;

const LINKS_MAX = 8;
const MAGIC_BYTES = 4;

/** A file of an archive that came in: in memory, or in an object of its own. */
export interface ReceivedFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: Digest;
  readonly compression: Compression;
  readonly bytes?: Uint8Array;
  readonly objectKey?: string;
}

/** The digest that a path of an image layout states: `blobs/<algorithm>/<hex>`. */
function digestInPath(path: string): Digest | undefined {
  const digest = path.replace(/^blobs\/([^/]+)\/([^/]+)$/, "$1:$2");
  return isDigest(digest) ? digest : undefined;
}

/** An archive that came in, apart: its files by their paths, none of which anything refers to yet. */
export class ReceivedArchive {
  readonly #bucket: R2Bucket;
  readonly #files = new Map<string, ReceivedFile>();
  readonly #links = new Map<string, string>();
  readonly #kept: PartBuffer[] = [];
  #keptBytes = 0;

  /** All objects that were made for it. */
  readonly created: CreatedObject[] = [];

  constructor({ bucket }: Pick<Context, "bucket">) {
    this.#bucket = bucket;
  }

  /**
   * Takes an archive in as it comes: each file is hashed on the way, natively, and goes to R2 in one put, unless it is small. One class A
   * operation for each that does.
   * @throws OciError BLOB_UPLOAD_INVALID, SIZE_INVALID; DIGEST_INVALID for a file that is not what its path says; BodyError.
   */
  async receive(body: ReadableStream): Promise<void> {
    const packed = new ByteSource(readBody(body));
    const source = new ByteSource(decompress(packed));
    try {
      for await (const entry of readTar(source)) {
        if (this.#files.has(entry.path) || this.#links.has(entry.path)) {
          throw malformedArchive("a path is in it twice", { path: entry.path });
        }
        if (entry.kind === "link") this.#links.set(entry.path, entry.target);
        else this.#files.set(entry.path, await this.#receiveFile(entry));
      }
    } finally {
      await source.cancel();
      await packed.cancel();
    }
  }

  async #receiveFile(entry: TarEntry & { kind: "file" }): Promise<ReceivedFile> {
    const isSmall = entry.size <= SMALL_MAX_BYTES && this.#keptBytes + entry.size <= KEPT_MAX_BYTES;
    const file = isSmall ? await this.#keep(entry) : await this.#store(entry);
    const stated = digestInPath(entry.path);
    if (stated !== undefined && stated !== file.digest) {
      throw new OciError("DIGEST_INVALID", {
        message: `${entry.path} of the archive has other content`,
        detail: { digest: stated },
      });
    }
    return file;
  }

  async #keep({ path, size, content }: TarEntry & { kind: "file" }): Promise<ReceivedFile> {
    const buffer = await partBuffers.acquire(size);
    this.#kept.push(buffer);
    this.#keptBytes += size;
    let filled = 0;
    for await (const piece of content) {
      buffer.set(piece, filled);
      filled += piece.byteLength;
    }
    const bytes = buffer.subarray(0, size);
    const digest = await computeDigest(algorithmFor(path), bytes);
    return { path, size, digest, compression: compressionOf(bytes.subarray(0, MAGIC_BYTES)), bytes };
  }

  async #store({ path, size, content }: TarEntry & { kind: "file" }): Promise<ReceivedFile> {
    if (size > PUT_MAX_BYTES) {
      throw new OciError("SIZE_INVALID", {
        message: "a file in the archive is too large: push that image by a client",
      });
    }
    const objectKey = this.#newObject();
    const hash = new NativeHash(algorithmFor(path));
    const head = new Uint8Array(MAGIC_BYTES);
    let seen = 0;
    const watched = async function* () {
      for await (const piece of content) {
        if (seen < MAGIC_BYTES) head.set(piece.subarray(0, MAGIC_BYTES - seen), seen);
        seen += piece.byteLength;
        yield piece;
      }
    };
    await putHashed(this.#bucket, objectKey, watched(), size, hash);
    const { digest } = await hash.end();
    return { path, size, digest, compression: compressionOf(head), objectKey };
  }

  /** The key of an object to be made, which is known before it is. */
  #newObject(): string {
    if (this.created.length === OBJECTS_MAX) {
      throw new OciError("SIZE_INVALID", {
        message: `the archive has more than ${OBJECTS_MAX} files to store: push its images by a client`,
      });
    }
    const key = newBlobKey();
    this.created.push({ key, multipartId: undefined });
    return key;
  }

  /** The file of a path, or that which a link there leads to, within the archive; undefined where there is none. */
  find(path: string): ReceivedFile | undefined {
    let at = path;
    for (let links = 0; links <= LINKS_MAX; links += 1) {
      const target = this.#links.get(at);
      if (target === undefined) return this.#files.get(at);
      at = target;
    }
    return undefined;
  }

  /** The bytes of a file that should be JSON. One class B operation for a large one. Throws MANIFEST_INVALID for too large a one. */
  async readJson({ path, size, bytes, objectKey }: ReceivedFile): Promise<Uint8Array> {
    if (size > JSON_MAX_BYTES) {
      throw new OciError("MANIFEST_INVALID", {
        message: `${path} of the archive is larger than any manifest or config`,
      });
    }
    return bytes ?? (await getBytes(this.#bucket, objectKey ?? ""));
  }

  /** Makes sure that files lie in R2, each content once. One class A operation for each that did not. Throws SIZE_INVALID for too many. */
  async store(files: readonly ReceivedFile[]): Promise<{ digest: Digest; size: number; objectKey: string }[]> {
    const contents = new Map(files.map((file) => [file.digest, file]));
    // All keys before the first put: so too many are none at all.
    const placed = [...contents.values()].map((file) => ({ ...file, key: file.objectKey ?? this.#newObject() }));
    return await Promise.all(
      placed.map(async ({ digest, size, bytes, objectKey, key }) => {
        if (objectKey === undefined) await putVerified(this.#bucket, key, bytes ?? new Uint8Array(0), digest);
        return { digest, size, objectKey: key };
      }),
    );
  }

  /** Frees its memory. Always call it last. */
  dispose(): void {
    for (const buffer of this.#kept.splice(0)) partBuffers.release(buffer);
  }
}

/** The algorithm of the digest that a path states, or else the one that manifests use. */
function algorithmFor(path: string): DigestAlgorithm {
  const stated = digestInPath(path);
  return stated === undefined ? CANONICAL_ALGORITHM : digestAlgorithm(stated);
}
