import type { Digest, DigestAlgorithm } from "./digest.ts";
import type { RepositoryName } from "./repository-name.ts";

/** Bytes that wait in an object of their own until they fill a part, or become the blob. */
export interface TailPiece {
  readonly key: string;
  readonly size: number;
}

/** The bytes after the last full part: first the pieces in their order, then the inline bytes (base64). */
export interface UploadTail {
  readonly pieces: readonly TailPiece[];
  readonly inline: string;
}

/**
 * What is known of the digest of the bytes received so far: the digest itself, or the state of a hash that can go on.
 * Where neither is known, the stored bytes are read back once at the close.
 */
export type UploadHash =
  { readonly kind: "digest"; readonly digest: Digest } | { readonly kind: "state"; readonly state: string };

/** A multipart upload that has begun: its parts have one size, but for the last. */
export interface Multipart {
  readonly key: string;
  readonly id: string;
  readonly partSize: number;
  readonly partCount: number;
}

/** Spec, "Pushing a blob in chunks": an upload between two requests. */
export interface UploadSession {
  readonly id: string;
  /** Bytes that are safe; the next chunk starts here. */
  readonly received: number;
  readonly algorithm: DigestAlgorithm;
  readonly hash: UploadHash | undefined;
  readonly multipart: Multipart | undefined;
  readonly tail: UploadTail;
}

export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
}

/** The tail of an upload without any bytes. */
export const EMPTY_TAIL: UploadTail = { pieces: [], inline: "" };

/** Two buffers of a part for each of six uploads stay below 80 MB; 10,000 parts reach 62 GB. */
export const PART_SIZE_BYTES = 6 * 1024 * 1024;

/** R2 takes no smaller part, but for the last. */
const PART_SIZE_MIN_BYTES = 5 * 1024 * 1024;

/** R2's limit for one object. */
export const PARTS_MAX = 10_000;

/**
 * The part size for an upload whose first chunk has this length: one that divides it where possible, so that equal
 * chunks end where a part ends and no byte waits in a tail. Undefined length: {@link PART_SIZE_BYTES}.
 */
export function choosePartSize(chunkLength: number | undefined): number {
  if (chunkLength === undefined || chunkLength === 0) return PART_SIZE_BYTES;
  const partSize = Math.floor(chunkLength / Math.ceil(chunkLength / PART_SIZE_BYTES));
  return partSize >= PART_SIZE_MIN_BYTES ? partSize : PART_SIZE_BYTES;
}

/** Bytes that base64 text stands for. */
function decodedLength(base64: string): number {
  return (base64.length / 4) * 3 - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);
}

/** Bytes in the tail. */
export function tailLength(tail: UploadTail): number {
  return tail.pieces.reduce((sum, piece) => sum + piece.size, 0) + decodedLength(tail.inline);
}

/** Spec end-4a, end-5, end-6, end-13: the path of a session, absolute, since a host may be known by several names. */
export function uploadLocation(repository: RepositoryName, id: string): string {
  return `/v2/${repository}/blobs/uploads/${id}`;
}
