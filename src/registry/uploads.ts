import type { Context } from "../context.ts";
import { commitBlob, type StoredBlob } from "../metadata/blobs.ts";
import { discardUnneeded } from "../metadata/discarded-objects.ts";
import * as sessions from "../metadata/uploads.ts";
import { type Digest, type DigestAlgorithm, digestAlgorithm } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { choosePartSize, type UploadHash, type UploadSession } from "../oci/upload-session.ts";
import { BodyError, readBody } from "../storage/body-reader.ts";
import { digestOf, digestStream, hashForChunk } from "../storage/hashing.ts";
import { newBlobKey } from "../storage/keys.ts";
import { getStream, PUT_MAX_BYTES, putVerified } from "../storage/objects.ts";
import { PartWriter, type StoredChunk } from "../storage/part-writer.ts";
import { putHashed } from "../storage/streamed-put.ts";
import { type Chunk, type ClaimedUpload, explainNoHold, type UploadAddress, withClaim } from "./upload-claim.ts";

export type { Chunk, UploadAddress } from "./upload-claim.ts";

/** From this size on, a body of known length goes to R2 in one put, which needs no buffer of a part. */
const STREAMED_PUT_MIN_BYTES = 64 * 1024;

/** A chunk that has bytes, and says how many. */
type SizedChunk = Chunk & { readonly body: ReadableStream; readonly length: number };

/** Spec end-4a: opens a session. One D1 round trip. Returns its id. */
export async function startUpload(
  { db, config, now }: Context,
  repository: RepositoryName,
  algorithm: DigestAlgorithm,
): Promise<string> {
  const id = crypto.randomUUID();
  await sessions.createSession(db, { id, repository, algorithm, expiresAt: now() + config.uploadTtlMs });
  return id;
}

/** Spec end-13: how many bytes are safe. One D1 query. Throws BLOB_UPLOAD_UNKNOWN. */
export async function uploadStatus({ db, now }: Context, address: UploadAddress): Promise<number> {
  const session = await sessions.findSession(db, { ...address, now: now() });
  if (!session) throw new OciError("BLOB_UPLOAD_UNKNOWN");
  return session.received;
}

/** Spec end-14: ends a session; what it held in R2 is collected. One D1 round trip. Throws BLOB_UPLOAD_UNKNOWN. */
export async function cancelUpload({ db, now }: Context, address: UploadAddress): Promise<void> {
  const cancelled = await sessions.cancelSession(db, { ...address, now: now() });
  if (!cancelled) throw new OciError("BLOB_UPLOAD_UNKNOWN");
}

/**
 * Spec end-5: takes a chunk of any size. Two D1 round trips.
 * @returns how many bytes are safe now.
 * @throws OciError BLOB_UPLOAD_UNKNOWN; RANGE_INVALID when the chunk does not start where the upload stands, or another
 * request holds it; BLOB_UPLOAD_INVALID when the body breaks off, with what came before kept.
 */
export async function receiveChunk(context: Context, address: UploadAddress, chunk: Chunk): Promise<number> {
  return await withClaim(context, address, chunk, "continue", async (claim) => {
    const isOnePut = isWholeBlobAtOnce(claim.session, chunk) && chunk.length >= STREAMED_PUT_MIN_BYTES;
    return isOnePut ? await receiveInOnePut(context, claim, chunk) : await receiveInParts(context, claim, chunk);
  });
}

/**
 * Spec end-6: takes the last chunk, if there is one, and makes the upload a blob. Three D1 round trips with its POST when
 * all bytes come here.
 * @throws OciError as {@link receiveChunk}, and DIGEST_INVALID when the bytes have another digest: nothing is kept then.
 */
export async function finishUpload(
  context: Context,
  address: UploadAddress,
  digest: Digest,
  chunk: Chunk,
): Promise<StoredBlob> {
  return await withClaim(context, address, chunk, "finish", async (claim) => {
    if (isWholeBlobAtOnce(claim.session, chunk)) {
      const key = newBlobKey();
      claim.created.push({ key, multipartId: undefined });
      await putVerified(context.bucket, key, chunk.body, digest);
      return await commit(context, claim, { digest, size: chunk.length, objectKey: key });
    }
    return await finishFromParts(context, claim, digest, chunk);
  });
}

/** Spec end-4b: a blob in one POST. One class A operation, one D1 round trip. Throws OciError DIGEST_INVALID, SIZE_INVALID. */
export async function putBlob(
  context: Context,
  repository: RepositoryName,
  digest: Digest,
  body: ReadableStream | null,
  length: number,
): Promise<void> {
  if (length > PUT_MAX_BYTES) {
    throw new OciError("SIZE_INVALID", { message: "too large for one POST: open an upload and send it there" });
  }
  const objectKey = newBlobKey();
  try {
    await putVerified(context.bucket, objectKey, length > 0 && body ? body : new Uint8Array(0), digest);
    await commitBlob(context.db, { digest, size: length, objectKey, repository, now: context.now() });
  } catch (error) {
    // R2 keeps nothing of what has another digest; else the object may be there, or even be the blob.
    if (!(error instanceof OciError)) {
      const orphan = { key: objectKey, multipartId: undefined };
      await discardUnneeded(context.db, [orphan], context.now()).run();
    }
    throw error;
  }
}

/** Nothing came before, the length is known, and nothing says that more will follow. */
function isWholeBlobAtOnce(session: UploadSession, chunk: Chunk): chunk is SizedChunk {
  const { body, length, range } = chunk;
  return session.received === 0 && body !== null && range === undefined && !!length && length <= PUT_MAX_BYTES;
}

function brokenOff(received: number): OciError {
  const message = `the request's body broke off; the upload stands at byte ${received}`;
  return new OciError("BLOB_UPLOAD_INVALID", { message, detail: { received } });
}

async function receiveInOnePut(context: Context, claim: ClaimedUpload, chunk: SizedChunk): Promise<number> {
  const hash = hashForChunk(claim.session, "last");
  const key = newBlobKey();
  claim.created.push({ key, multipartId: undefined });
  try {
    await putHashed(context.bucket, key, readBody(chunk.body), chunk.length, hash);
  } catch (error) {
    throw error instanceof BodyError ? brokenOff(0) : error;
  }
  const tail = { pieces: [{ key, size: chunk.length }], inline: "" };
  return await save(context, claim, chunk.length, { multipart: undefined, newParts: [], tail }, await hash?.end());
}

async function receiveInParts(context: Context, claim: ClaimedUpload, chunk: Chunk): Promise<number> {
  const received = await withPartWriter(context, claim, chunk, async (writer, body) => {
    const stored = await writer.suspend();
    return { ...body, received: await save(context, claim, body.received, stored, body.hash) };
  });
  if (received.isBrokenOff) throw brokenOff(received.received);
  return received.received;
}

/** What came with a request: how many bytes, and what is known of the digest of all bytes so far. */
interface ReceivedBody {
  readonly received: number;
  readonly isBrokenOff: boolean;
  readonly hash: UploadHash | undefined;
}

/** Takes the chunk's body into parts, then lets `work` decide what becomes of them. */
async function withPartWriter<T>(
  { bucket }: Context,
  claim: ClaimedUpload,
  chunk: Chunk,
  work: (writer: PartWriter, body: ReceivedBody) => Promise<T>,
): Promise<T> {
  const { session } = claim;
  const partSize = choosePartSize(chunk.range?.length);
  const writer = new PartWriter(bucket, session, partSize, chunk.length, (object) => claim.created.push(object));
  try {
    if (chunk.body === null || chunk.length === 0) {
      return await work(writer, { received: 0, isBrokenOff: false, hash: session.hash });
    }
    const hash = hashForChunk(session, chunk.range ? "more-to-come" : "last");
    const body = await writer.receive(readBody(chunk.body), hash);
    if (chunk.range && !body.isBrokenOff && body.received !== chunk.range.length) {
      throw new OciError("SIZE_INVALID", { message: "the body is not as long as its Content-Range" });
    }
    return await work(writer, { ...body, hash: body.received === 0 ? session.hash : await hash?.end() });
  } finally {
    await writer.dispose();
  }
}

/**
 * Keeps what a chunk brought. Returns how many bytes are safe now.
 * @throws OciError RANGE_INVALID when another request took over, BLOB_UPLOAD_UNKNOWN when the upload was cancelled or ended.
 */
async function save(
  context: Context,
  { address, hold, session, created }: ClaimedUpload,
  added: number,
  stored: StoredChunk,
  hash: UploadHash | undefined,
): Promise<number> {
  const { db, now, config } = context;
  const received = session.received + added;
  const multipart = stored.multipart && {
    ...stored.multipart,
    partCount: stored.multipart.partCount + stored.newParts.length,
  };
  const kept = new Set(stored.tail.pieces.map((piece) => piece.key));
  const discarded = session.tail.pieces.flatMap(({ key }) => (kept.has(key) ? [] : [{ key, multipartId: undefined }]));
  const expiresAt = now() + config.uploadTtlMs;
  const progress = { ...stored, received, hash, multipart, discarded, expiresAt };
  const isSaved = await sessions.saveProgress(db, hold, progress, now());
  if (!isSaved) throw await explainNoHold(context, address, undefined, "another request wrote to the upload meanwhile");
  created.splice(0);
  return received;
}

async function finishFromParts(
  context: Context,
  claim: ClaimedUpload,
  digest: Digest,
  chunk: Chunk,
): Promise<StoredBlob> {
  const { session } = claim;
  const finished = await withPartWriter(context, claim, chunk, async (writer, body) => {
    if (body.isBrokenOff) {
      await save(context, claim, body.received, await writer.suspend(), body.hash);
      throw brokenOff(session.received + body.received);
    }
    const known = digestOf(session.algorithm, body.hash, digestAlgorithm(digest));
    if (known !== undefined && known !== digest) throw new OciError("DIGEST_INVALID", { detail: { digest } });
    const size = session.received + body.received;
    const { key, bytes } = await writer.complete(digest, claim.parts, size);
    return { key, size, isVerified: bytes === "verified" || (bytes === "as-received" && known !== undefined) };
  });
  if (!finished.isVerified) await verifyStored(context, finished.key, digest);
  return await commit(context, claim, { digest, size: finished.size, objectKey: finished.key });
}

/** Reads an object back once, where what came in could not be hashed on the way. Throws DIGEST_INVALID. */
async function verifyStored({ bucket }: Context, key: string, digest: Digest): Promise<void> {
  const stored = await digestStream(digestAlgorithm(digest), await getStream(bucket, key));
  if (stored !== digest) throw new OciError("DIGEST_INVALID", { detail: { digest } });
}

/**
 * Blob, link and the end of the session in one transaction, which also discards what did not become the blob.
 * @throws OciError RANGE_INVALID when another request took over, BLOB_UPLOAD_UNKNOWN when the upload was cancelled or ended.
 */
async function commit(
  context: Context,
  { address, hold, session, created }: ClaimedUpload,
  blob: StoredBlob,
): Promise<StoredBlob> {
  const { db, now } = context;
  const pieces = session.tail.pieces.map(({ key }) => ({ key, multipartId: undefined }));
  const leftovers = [...pieces, ...created].filter(({ key }) => key !== blob.objectKey);
  const entry = { ...blob, repository: address.repository, now: now() };
  const isCommitted = await sessions.commitSession(db, hold, entry, leftovers);
  if (!isCommitted) throw await explainNoHold(context, address, undefined, "another request took the upload over");
  return blob;
}
