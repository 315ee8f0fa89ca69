import { type Digest, digestAlgorithm, digestHex } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import type { ByteRange } from "../oci/range.ts";
import { isChecksumMismatch, isNoSuchUpload } from "./r2-errors.ts";

/** R2 takes up to 5 GiB in one put; a little less, to stay clear of how it counts. */
export const PUT_MAX_BYTES = 4.9 * 1024 ** 3;

/**
 * Stores bytes whose digest is known. R2 hashes them itself, without any CPU of ours, and keeps nothing that differs.
 * One class A operation.
 * @param body needs a known length: a buffer, or a request's body with Content-Length.
 * @throws OciError DIGEST_INVALID when the bytes do not have this digest.
 */
export async function putVerified(
  bucket: R2Bucket,
  key: string,
  body: ReadableStream | ArrayBuffer | Uint8Array,
  digest: Digest,
): Promise<void> {
  try {
    await bucket.put(key, body, { [digestAlgorithm(digest)]: digestHex(digest) });
  } catch (error) {
    if (isChecksumMismatch(error)) throw new OciError("DIGEST_INVALID");
    throw error;
  }
}

/** Stores bytes that are in memory. One class A operation. */
export async function putBytes(bucket: R2Bucket, key: string, bytes: Uint8Array): Promise<void> {
  await bucket.put(key, bytes);
}

/**
 * An object's bytes, or a part of them, as a stream. One class B operation.
 * @throws Error when the object is gone: the database promised it.
 */
export async function getStream(bucket: R2Bucket, key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array>> {
  const object = await bucket.get(key, range ? { range: { offset: range.offset, length: range.length } } : {});
  if (object === null) throw new Error(`object ${key} is missing from the bucket`);
  return object.body as ReadableStream<Uint8Array>;
}

/** An object's bytes in memory: for manifests and tails only. One class B operation. */
export async function getBytes(bucket: R2Bucket, key: string): Promise<Uint8Array> {
  return new Uint8Array(await new Response(await getStream(bucket, key)).arrayBuffer());
}

/**
 * Deletes objects, at most 1,000, and aborts multipart uploads. Free of charge; what is gone already is no error.
 * @throws what R2 throws: then anything of it may still be there, and all of it is to be deleted again.
 */
export async function deleteObjects(
  bucket: R2Bucket,
  objects: readonly { readonly key: string; readonly multipartId: string | undefined }[],
): Promise<void> {
  const aborts = objects.flatMap(({ key, multipartId }) =>
    multipartId === undefined ? [] : [bucket.resumeMultipartUpload(key, multipartId).abort()],
  );
  const outcomes = await Promise.allSettled(aborts);
  await bucket.delete(objects.map(({ key }) => key));
  // An upload that was completed, aborted, or left for seven days cannot be aborted: there is nothing left to free.
  const failed = outcomes.find((one) => one.status === "rejected" && !isNoSuchUpload(one.reason));
  if (failed?.status === "rejected") throw failed.reason;
}

/** An object, as a listing shows it. */
export interface ListedObject {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly uploadedAt: number;
}

/** Objects in the order of their keys, after `after`, at most `limit`. Unfinished uploads are not shown. One class A operation. */
export async function listObjects(
  bucket: R2Bucket,
  after: string,
  limit: number,
): Promise<{ objects: ListedObject[]; isLast: boolean }> {
  const listed = await bucket.list({ ...(after !== "" && { startAfter: after }), limit });
  const objects = listed.objects.map(({ key, uploaded }) => ({ key, uploadedAt: uploaded.getTime() }));
  return { objects, isLast: !listed.truncated };
}

/** Whether R2 holds an object. One class B operation. */
export async function isStored(bucket: R2Bucket, key: string): Promise<boolean> {
  return (await storedSize(bucket, key)) !== undefined;
}

/** An object's size in bytes; undefined if R2 does not hold it. One class B operation. */
export async function storedSize(bucket: R2Bucket, key: string): Promise<number | undefined> {
  return (await bucket.head(key))?.size;
}
