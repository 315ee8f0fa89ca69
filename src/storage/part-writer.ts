import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import {
  EMPTY_TAIL,
  type Multipart,
  PARTS_MAX,
  tailLength,
  type UploadedPart,
  type UploadSession,
  type UploadTail,
} from "../oci/upload-session.ts";
import { BodyError, readBody } from "./body-reader.ts";
import type { StreamHash } from "./hashing.ts";
import { newBlobKey } from "./keys.ts";
import { getStream, putVerified, storedSize } from "./objects.ts";
import { type PartBuffer, partBuffers } from "./part-buffers.ts";
import { isNoSuchUpload } from "./r2-errors.ts";
import { appendTail, readTail } from "./tail.ts";

/** An object that a request made: discarded if the request comes to nothing. */
export interface CreatedObject {
  readonly key: string;
  readonly multipartId: string | undefined;
}

/** Where an upload's bytes lie after a request. */
export interface StoredChunk {
  readonly multipart: Multipart | undefined;
  readonly newParts: readonly UploadedPart[];
  readonly tail: UploadTail;
}

/** The object of all bytes. */
export interface CompletedObject {
  readonly key: string;
  /**
   * What is known of its bytes: R2 has compared them with the digest; they are those that came; or an earlier request, whose
   * answer was lost, stored them, and its last bytes may have been others.
   */
  readonly bytes: "verified" | "as-received" | "of-earlier-request";
}

/**
 * Takes the next bytes of an upload into parts of one size. It holds at most two buffers: one that fills while the other
 * is on its way to R2. The tail of earlier requests is read only when a part with it is full, so that many small chunks
 * cost no reads; its place at the start of the first buffer is kept free.
 */
export class PartWriter {
  readonly #bucket: R2Bucket;
  readonly #partSize: number;
  /** The first buffer is no larger than what is to come, where that is known. */
  readonly #firstBufferSize: number;
  readonly #newParts: UploadedPart[] = [];
  readonly #onCreate: (object: CreatedObject) => void;
  #multipart: Multipart | undefined;
  #tail: UploadTail;
  #buffer: PartBuffer | undefined;
  #spareBuffer: PartBuffer | undefined;
  /** The end of the bytes in the buffer, and how many of them, at its start, are those of the tail, not yet read. */
  #filled: number;
  #reserved: number;
  #sending: Promise<void> | undefined;

  /**
   * @param session the upload as its last request left it.
   * @param partSize for an upload that has no parts yet.
   * @param bodyLength bytes to come, if known.
   * @param onCreate hears of each object before anything is in it.
   */
  constructor(
    bucket: R2Bucket,
    session: UploadSession,
    partSize: number,
    bodyLength: number | undefined,
    onCreate: (object: CreatedObject) => void,
  ) {
    this.#bucket = bucket;
    this.#onCreate = onCreate;
    this.#multipart = session.multipart;
    this.#partSize = session.multipart?.partSize ?? partSize;
    this.#tail = session.tail;
    this.#reserved = tailLength(session.tail);
    this.#filled = this.#reserved;
    this.#firstBufferSize = Math.min(this.#partSize, this.#reserved + (bodyLength ?? Infinity));
  }

  /**
   * Stores bytes and hashes them on the way. Returns how many came, and whether the body broke off after them.
   * @throws whatever R2 throws, and OciError for a blob beyond R2's limit.
   */
  async receive(
    pieces: AsyncIterable<Uint8Array>,
    hash: StreamHash | undefined,
  ): Promise<{ received: number; isBrokenOff: boolean }> {
    if (this.#reserved >= this.#partSize) await this.#absorbTail();
    let received = 0;
    try {
      for await (const bytes of pieces) {
        await hash?.update(bytes);
        await this.#append(bytes);
        received += bytes.byteLength;
      }
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      return { received, isBrokenOff: true };
    }
    return { received, isBrokenOff: false };
  }

  /** Puts what fills no part into the tail. Nothing can be received after. */
  async suspend(): Promise<StoredChunk> {
    await this.#sending;
    const bytes = this.#buffer?.subarray(this.#reserved, this.#filled);
    const before = this.#reserved > 0 ? this.#tail : EMPTY_TAIL;
    if (bytes === undefined || bytes.byteLength === 0) {
      return { multipart: this.#multipart, newParts: this.#newParts, tail: before };
    }
    const tail = await appendTail(this.#bucket, before, bytes, this.#multipart === undefined, (key) =>
      this.#onCreate({ key, multipartId: undefined }),
    );
    return { multipart: this.#multipart, newParts: this.#newParts, tail };
  }

  /**
   * Makes one object of all bytes, or finds that an earlier request did so. Nothing can be received after.
   * @param digest what the bytes should have. Where they go to R2 in one put it is verified; else that is left to the
   * caller.
   * @param parts the parts of earlier requests.
   * @param size of all bytes.
   */
  async complete(digest: Digest, parts: readonly UploadedPart[], size: number): Promise<CompletedObject> {
    try {
      return await this.#complete(digest, parts);
    } catch (error) {
      const key = this.#multipart?.key;
      if (key === undefined || !isNoSuchUpload(error) || (await storedSize(this.#bucket, key)) !== size) throw error;
      return { key, bytes: "of-earlier-request" };
    }
  }

  async #complete(digest: Digest, parts: readonly UploadedPart[]): Promise<CompletedObject> {
    await this.#sending;
    const [onlyPiece, ...furtherPieces] = this.#tail.pieces;
    const isTailOnly = this.#filled === this.#reserved && this.#tail.inline === "" && furtherPieces.length === 0;
    if (this.#multipart === undefined && onlyPiece && isTailOnly) {
      return { key: onlyPiece.key, bytes: "as-received" };
    }
    const bytes = await this.#takeBytes();
    if (this.#multipart === undefined) {
      const key = newBlobKey();
      this.#onCreate({ key, multipartId: undefined });
      await putVerified(this.#bucket, key, bytes, digest);
      return { key, bytes: "verified" };
    }
    if (bytes.byteLength > 0) await this.#sendPart(this.#multipart, bytes);
    const { key, id } = this.#multipart;
    await this.#bucket
      .resumeMultipartUpload(key, id)
      .complete([...parts, ...this.#newParts].map(({ number, etag }) => ({ partNumber: number, etag })));
    return { key, bytes: "as-received" };
  }

  /** Frees the buffer. Always call it last. */
  async dispose(): Promise<void> {
    await this.#sending?.catch(() => undefined);
    for (const buffer of [this.#buffer, this.#spareBuffer]) if (buffer) partBuffers.release(buffer);
    this.#buffer = undefined;
    this.#spareBuffer = undefined;
  }

  /** A tail larger than a part, left by a body that went to R2 in one put: it becomes parts before anything else. */
  async #absorbTail(): Promise<void> {
    const tail = this.#tail;
    this.#tail = EMPTY_TAIL;
    this.#filled = 0;
    this.#reserved = 0;
    for (const piece of tail.pieces) {
      for await (const bytes of readBody(await getStream(this.#bucket, piece.key))) await this.#append(bytes);
    }
    await this.#append(Uint8Array.fromBase64(tail.inline));
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let position = 0; position < bytes.byteLength;) {
      this.#buffer ??= await partBuffers.acquire(this.#firstBufferSize);
      const piece = bytes.subarray(position, position + this.#partSize - this.#filled);
      this.#buffer.set(piece, this.#filled);
      this.#filled += piece.byteLength;
      position += piece.byteLength;
      if (this.#filled === this.#partSize) await this.#flush();
    }
  }

  /** Sends the full buffer on its way, and goes on with another if there is room for it, else when this one is free. */
  async #flush(): Promise<void> {
    const bytes = await this.#takeBytes();
    const full = this.#buffer;
    await this.#sending;
    const multipart = await this.#beginMultipart();
    this.#buffer = this.#spareBuffer ?? partBuffers.tryAcquire(this.#partSize);
    this.#spareBuffer = undefined;
    this.#sending = this.#sendPart(multipart, bytes).finally(() => {
      this.#spareBuffer = full;
    });
    // Awaited before the next part and at every end; until then a failure must not count as unhandled.
    this.#sending.catch(() => undefined);
    if (this.#buffer !== undefined) return;
    await this.#sending;
    this.#buffer = this.#spareBuffer;
    this.#spareBuffer = undefined;
  }

  /** All bytes so far, those of the tail at their place. The buffer stays this writer's. */
  async #takeBytes(): Promise<Uint8Array> {
    if (this.#filled === 0) return new Uint8Array(0);
    this.#buffer ??= await partBuffers.acquire(this.#filled);
    if (this.#reserved > 0) await readTail(this.#bucket, this.#tail, this.#buffer.subarray(0, this.#reserved));
    const bytes = this.#buffer.subarray(0, this.#filled);
    this.#tail = EMPTY_TAIL;
    this.#filled = 0;
    this.#reserved = 0;
    return bytes;
  }

  async #beginMultipart(): Promise<Multipart> {
    if (this.#multipart) return this.#multipart;
    const upload = await this.#bucket.createMultipartUpload(newBlobKey());
    this.#onCreate({ key: upload.key, multipartId: upload.uploadId });
    this.#multipart = { key: upload.key, id: upload.uploadId, partSize: this.#partSize, partCount: 0 };
    return this.#multipart;
  }

  async #sendPart({ key, id, partCount }: Multipart, bytes: Uint8Array): Promise<void> {
    const number = partCount + this.#newParts.length + 1;
    if (number > PARTS_MAX) {
      throw new OciError("SIZE_INVALID", { message: `blob is larger than ${PARTS_MAX * this.#partSize} bytes` });
    }
    const part = await this.#bucket.resumeMultipartUpload(key, id).uploadPart(number, bytes);
    this.#newParts.push({ number, etag: part.etag });
  }
}
