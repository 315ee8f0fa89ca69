import type { DigestAlgorithm } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import {
  EMPTY_TAIL,
  type Multipart,
  type UploadedPart,
  type UploadHash,
  type UploadSession,
  type UploadTail,
} from "../oci/upload-session.ts";
import { insertBlob, type NewBlob } from "./blobs.ts";
import { type DiscardedObject, discardStatement, discardUnneeded, type SessionHold } from "./discarded-objects.ts";

interface SessionRow {
  id: string;
  received: number;
  algorithm: DigestAlgorithm;
  hash: string | null;
  multipart_key: string | null;
  multipart_id: string | null;
  part_size: number | null;
  part_count: number;
  tail: string;
}

const COLUMNS = "id, received, algorithm, hash, multipart_key, multipart_id, part_size, part_count, tail";

function toMultipart(row: SessionRow): Multipart | undefined {
  if (row.multipart_key === null || row.multipart_id === null || row.part_size === null) return undefined;
  return { key: row.multipart_key, id: row.multipart_id, partSize: row.part_size, partCount: row.part_count };
}

function toSession(row: SessionRow): UploadSession {
  return {
    id: row.id,
    received: row.received,
    algorithm: row.algorithm,
    hash: row.hash === null ? undefined : (JSON.parse(row.hash) as UploadHash),
    multipart: toMultipart(row),
    tail: JSON.parse(row.tail) as UploadTail,
  };
}

/** Opens an upload session. One round trip. */
export async function createSession(
  db: D1Database,
  session: { id: string; repository: RepositoryName; algorithm: DigestAlgorithm; expiresAt: number },
): Promise<void> {
  await db
    .prepare("INSERT INTO upload_sessions (id, repository, algorithm, tail, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)")
    .bind(session.id, session.repository, session.algorithm, JSON.stringify(EMPTY_TAIL), session.expiresAt)
    .run();
}

/** Which session: its id opens it only in its own repository, and until it expires. */
export interface SessionKey {
  readonly id: string;
  readonly repository: RepositoryName;
  readonly now: number;
}

/** The session as it was when its last request ended. One query. */
export async function findSession(db: D1Database, key: SessionKey): Promise<UploadSession | undefined> {
  const row = await db
    .prepare(`SELECT ${COLUMNS} FROM upload_sessions WHERE id = ?1 AND repository = ?2 AND expires_at > ?3`)
    .bind(key.id, key.repository, key.now)
    .first<SessionRow>();
  return row ? toSession(row) : undefined;
}

export interface Claim extends SessionKey {
  /** A fresh name for this request: who holds the session. */
  readonly writer: string;
  /** When the hold ends by itself, should this request die. */
  readonly writerExpiresAt: number;
  readonly expiresAt: number;
  /** Where the request's bytes start, if it says so; the claim succeeds only there. */
  readonly offset: number | undefined;
}

/**
 * Takes the session for one request. Undefined when it is unknown, held by another request, or at another offset:
 * {@link findSession} tells which. One round trip.
 * @returns the parts so far too, if they are wanted: a chunk needs none of them, and there may be thousands.
 */
export async function claimSession(
  db: D1Database,
  claim: Claim,
  withParts: boolean,
): Promise<{ session: UploadSession; parts: UploadedPart[] } | undefined> {
  const listParts = db.prepare("SELECT number, etag FROM upload_parts WHERE session_id = ?1 ORDER BY number");
  const [claimed, parts] = await db.batch<SessionRow & UploadedPart>([
    db
      .prepare(
        `UPDATE upload_sessions SET writer = ?4, writer_expires_at = ?5, expires_at = ?6
         WHERE id = ?1 AND repository = ?2 AND expires_at > ?3 AND (writer IS NULL OR writer_expires_at <= ?3)
           AND (?7 IS NULL OR received = ?7)
         RETURNING ${COLUMNS}`,
      )
      .bind(
        ...[claim.id, claim.repository, claim.now, claim.writer, claim.writerExpiresAt, claim.expiresAt],
        claim.offset ?? null,
      ),
    ...(withParts ? [listParts.bind(claim.id)] : []),
  ]);
  const row = claimed?.results[0];
  return row ? { session: toSession(row), parts: parts?.results ?? [] } : undefined;
}

/** Prolongs a hold on a session. One round trip. */
export async function renewClaim(db: D1Database, hold: SessionHold, writerExpiresAt: number): Promise<void> {
  await db
    .prepare("UPDATE upload_sessions SET writer_expires_at = ?3 WHERE id = ?1 AND writer = ?2")
    .bind(hold.id, hold.writer, writerExpiresAt)
    .run();
}

/** What a request added to a session. */
export interface Progress {
  readonly received: number;
  readonly hash: UploadHash | undefined;
  readonly multipart: Multipart | undefined;
  readonly newParts: readonly UploadedPart[];
  readonly tail: UploadTail;
  /** Objects that the session held before and does not need now. */
  readonly discarded: readonly DiscardedObject[];
  readonly expiresAt: number;
}

/**
 * Ends a hold and keeps what came. False if the hold was lost meanwhile: then nothing of the session changes. One round
 * trip.
 */
export async function saveProgress(
  db: D1Database,
  hold: SessionHold,
  progress: Progress,
  now: number,
): Promise<boolean> {
  const { multipart, newParts } = progress;
  const held = "EXISTS (SELECT 1 FROM upload_sessions WHERE id = ?1 AND writer = ?2)";
  const statements = [
    discardStatement(db, progress.discarded, now, hold),
    db
      .prepare(
        `INSERT INTO upload_parts (session_id, number, etag)
         SELECT ?1, value ->> 'number', value ->> 'etag' FROM json_each(?3) WHERE ${held}`,
      )
      .bind(hold.id, hold.writer, JSON.stringify(newParts)),
    db
      .prepare(
        `UPDATE upload_sessions SET received = ?3, hash = ?4, multipart_key = ?5, multipart_id = ?6, part_size = ?7,
           part_count = ?8, tail = ?9, expires_at = ?10, writer = NULL, writer_expires_at = NULL
         WHERE id = ?1 AND writer = ?2 RETURNING id`,
      )
      .bind(
        ...[hold.id, hold.writer, progress.received],
        progress.hash === undefined ? null : JSON.stringify(progress.hash),
        ...[multipart?.key ?? null, multipart?.id ?? null, multipart?.partSize ?? null, multipart?.partCount ?? 0],
        ...[JSON.stringify(progress.tail), progress.expiresAt],
      ),
  ];
  const results = await db.batch(statements);
  return (results.at(-1)?.results.length ?? 0) > 0;
}

/**
 * Gives a session back, and discards those of `orphans` that neither it nor a blob has: the transaction that should have
 * kept them may have taken place, and its answer be lost. One round trip.
 */
export async function releaseClaim(
  db: D1Database,
  hold: SessionHold,
  orphans: readonly DiscardedObject[],
  now: number,
): Promise<void> {
  await db.batch([
    db
      .prepare("UPDATE upload_sessions SET writer = NULL, writer_expires_at = NULL WHERE id = ?1 AND writer = ?2")
      .bind(hold.id, hold.writer),
    discardUnneeded(db, orphans, now, hold.id),
  ]);
}

/**
 * The end of an upload: blob, link to the repository and the end of the session, or none of them. False if the hold was
 * lost meanwhile. `leftovers` are objects of the session that did not become the blob. One round trip.
 */
export async function commitSession(
  db: D1Database,
  hold: SessionHold,
  blob: NewBlob,
  leftovers: readonly DiscardedObject[],
): Promise<boolean> {
  const results = await db.batch([
    ...insertBlob(db, blob, hold),
    discardStatement(db, leftovers, blob.now, hold),
    db.prepare("DELETE FROM upload_sessions WHERE id = ?1 AND writer = ?2 RETURNING id").bind(hold.id, hold.writer),
  ]);
  return (results.at(-1)?.results.length ?? 0) > 0;
}

/** Statements that note all that sessions hold in R2, then end them. `where` selects them. */
export function endSessions(
  db: D1Database,
  where: string,
  parameters: readonly unknown[],
  now: number,
): D1PreparedStatement[] {
  const discardedAt = `?${parameters.length + 1}`;
  return [
    db
      .prepare(
        `INSERT INTO discarded_objects (object_key, multipart_id, discarded_at)
         SELECT multipart_key, multipart_id, ${discardedAt} FROM upload_sessions WHERE ${where} AND multipart_key IS NOT NULL
         ON CONFLICT (object_key) DO NOTHING`,
      )
      .bind(...parameters, now),
    db
      .prepare(
        `INSERT INTO discarded_objects (object_key, discarded_at)
         SELECT piece.value ->> 'key', ${discardedAt}
         FROM upload_sessions JOIN json_each(upload_sessions.tail, '$.pieces') piece WHERE ${where}
         ON CONFLICT (object_key) DO NOTHING`,
      )
      .bind(...parameters, now),
    db.prepare(`DELETE FROM upload_sessions WHERE ${where} RETURNING id`).bind(...parameters),
  ];
}

/** Cancels an upload, whoever holds it. False if there is no such session. One round trip. */
export async function cancelSession(db: D1Database, key: SessionKey): Promise<boolean> {
  const where = "upload_sessions.id = ?1 AND repository = ?2 AND expires_at > ?3";
  const results = await db.batch(endSessions(db, where, [key.id, key.repository, key.now], key.now));
  return (results.at(-1)?.results.length ?? 0) > 0;
}

/**
 * Ends a session that its holder found to be beyond saving, and discards `orphans` as {@link releaseClaim} does. One round
 * trip.
 */
export async function abandonSession(
  db: D1Database,
  hold: SessionHold,
  orphans: readonly DiscardedObject[],
  now: number,
): Promise<void> {
  const where = "upload_sessions.id = ?1 AND writer = ?2";
  await db.batch([discardUnneeded(db, orphans, now, hold.id), ...endSessions(db, where, [hold.id, hold.writer], now)]);
}

/** Ends at most `limit` sessions that expired and that no request holds. The count of those ended. One round trip. */
export async function expireSessions(db: D1Database, now: number, limit: number): Promise<number> {
  const where = `upload_sessions.id IN (
    SELECT id FROM upload_sessions WHERE expires_at <= ?1 AND (writer IS NULL OR writer_expires_at <= ?1)
    ORDER BY expires_at LIMIT ?2)`;
  const results = await db.batch(endSessions(db, where, [now, limit], now));
  return results.at(-1)?.results.length ?? 0;
}
