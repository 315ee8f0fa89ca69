import type { Context } from "../context.ts";
import { logError } from "../log.ts";
import type { DiscardedObject, SessionHold } from "../metadata/discarded-objects.ts";
import * as sessions from "../metadata/uploads.ts";
import { OciError } from "../oci/error.ts";
import { type ByteRange, formatUploadRange } from "../oci/range.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { type UploadedPart, uploadLocation, type UploadSession } from "../oci/upload-session.ts";
import { arePartsRefused, isNoSuchUpload } from "../storage/r2-errors.ts";

/** How long a request that died may keep others from its session. A request that lives renews its hold. */
const HOLD_MS = 120_000;
const HOLD_RENEWAL_MS = 60_000;

/** An upload session, by where its URL points. */
export interface UploadAddress {
  readonly repository: RepositoryName;
  readonly id: string;
}

/** The bytes of one request. */
export interface Chunk {
  readonly body: ReadableStream | null;
  /** Content-Length; undefined for a body of unknown length. */
  readonly length: number | undefined;
  /** Content-Range, which a client sends with a chunk among several. */
  readonly range: ByteRange | undefined;
}

/** A session while this request holds it. */
export interface ClaimedUpload {
  readonly address: UploadAddress;
  readonly hold: SessionHold;
  readonly session: UploadSession;
  /** The parts so far; only a request that may be the last has them. */
  readonly parts: readonly UploadedPart[];
  /** Objects that this request made and that nothing holds yet: discarded if it fails. */
  readonly created: DiscardedObject[];
}

/** What a request takes a session for: to go on with it, or to end it. */
export type Purpose = "continue" | "finish";

/** 416 with where the upload stands: the client goes on there. */
function rangeInvalid(address: UploadAddress, received: number, message: string): OciError {
  const headers = { Location: uploadLocation(address.repository, address.id), Range: formatUploadRange(received) };
  return new OciError("RANGE_INVALID", { message, detail: { received }, headers });
}

/**
 * Why a session is not, or no longer, this request's: there is none, or it stands at another byte than the request's `offset`, or
 * another request has it. One D1 query.
 */
export async function explainNoHold(
  { db, now }: Context,
  address: UploadAddress,
  offset: number | undefined,
  otherwise: string,
): Promise<OciError> {
  const session = await sessions.findSession(db, { ...address, now: now() });
  if (!session) return new OciError("BLOB_UPLOAD_UNKNOWN");
  const isElsewhere = offset !== undefined && offset !== session.received;
  return rangeInvalid(
    address,
    session.received,
    isElsewhere ? `the upload stands at byte ${session.received}` : otherwise,
  );
}

async function claimUpload(
  context: Context,
  address: UploadAddress,
  chunk: Chunk,
  purpose: Purpose,
): Promise<ClaimedUpload> {
  const { db, now, config } = context;
  const at = now();
  const writer = crypto.randomUUID();
  const offset = chunk.range?.offset;
  const claim = {
    ...{ ...address, now: at, writer, offset },
    ...{ writerExpiresAt: at + HOLD_MS, expiresAt: at + config.uploadTtlMs },
  };
  const claimed = await sessions.claimSession(db, claim, purpose === "finish");
  if (claimed) return { address, hold: { id: address.id, writer }, ...claimed, created: [] };
  throw await explainNoHold(context, address, offset, "another request writes to the upload");
}

/**
 * What R2 would say again however often it is asked leaves an upload that can neither go on nor end. Its client is told that
 * there is none, and so sends the blob anew.
 */
function asHopeless(error: unknown): unknown {
  if (!isNoSuchUpload(error) && !arePartsRefused(error)) return error;
  return new OciError("BLOB_UPLOAD_UNKNOWN", { message: "the upload cannot be gone on with: push the blob again" });
}

/** Whether the session is of no use to anyone after this error. */
function isHopeless(error: unknown): boolean {
  return error instanceof OciError && (error.code === "DIGEST_INVALID" || error.code === "BLOB_UPLOAD_UNKNOWN");
}

/**
 * Runs `work` while this request alone may write to the session. If it fails, the session is as it was before; if the
 * bytes were not those of their digest, or R2 cannot make an object of the upload any more, the session is gone.
 * @throws OciError BLOB_UPLOAD_UNKNOWN; RANGE_INVALID when the chunk does not start where the upload stands, or another
 * request holds it; SIZE_INVALID; and whatever `work` throws.
 */
export async function withClaim<T>(
  context: Context,
  address: UploadAddress,
  chunk: Chunk,
  purpose: Purpose,
  work: (claim: ClaimedUpload) => Promise<T>,
): Promise<T> {
  if (chunk.range && chunk.length !== undefined && chunk.range.length !== chunk.length) {
    throw new OciError("SIZE_INVALID", { message: "Content-Range and Content-Length differ" });
  }
  const claim = await claimUpload(context, address, chunk, purpose);
  const { db, now } = context;
  const renewal = setInterval(() => {
    // A hold that could not be renewed is missed at the end, by the statement that needs it.
    sessions.renewClaim(db, claim.hold, now() + HOLD_MS).catch(() => undefined);
  }, HOLD_RENEWAL_MS);
  try {
    return await work(claim);
  } catch (thrown) {
    const error = asHopeless(thrown);
    const giveBack = isHopeless(error) ? sessions.abandonSession : sessions.releaseClaim;
    // A session that cannot be given back is free again when the hold ends; the client must learn of the first cause.
    await giveBack(db, claim.hold, claim.created, now()).catch((cause: unknown) => {
      logError("an upload session was not given back", cause);
    });
    throw error;
  } finally {
    clearInterval(renewal);
  }
}
