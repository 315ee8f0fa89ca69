import type { Digest } from "../oci/digest.ts";
import type { ReferenceRole } from "../oci/manifest.ts";
import type { Reference, Tag } from "../oci/reference.ts";
import { selectRepository } from "./repositories.ts";
import { type Asker, askWithRules, type Ruled } from "./ruled.ts";

/** A manifest that is to go, or lives by one that is. */
export interface ReachedManifest {
  readonly digest: Digest;
  readonly size: number;
  readonly subject: Digest | null;
  /** Whether a tag that stays, or a manifest that is none of these and is held itself, holds it. */
  readonly isHeld: boolean;
}

export interface ReachedBlob {
  readonly digest: Digest;
  readonly size: number;
  /** Whether a manifest that is none of these and is held itself needs it, in this repository or, for who sees all, in another. */
  readonly isHeld: boolean;
}

/** What would be deleted, and all that lives by it. */
export interface Surroundings {
  readonly target: Digest;
  /** Those that would go with it. */
  readonly tags: readonly Tag[];
  /** An index that lists it, for which it could not be deleted. */
  readonly heldBy: Digest | undefined;
  readonly manifests: readonly ReachedManifest[];
  readonly references: readonly { readonly manifest: Digest; readonly role: ReferenceRole; readonly digest: Digest }[];
  readonly blobs: readonly ReachedBlob[];
}

/** The most rows of a kind that are looked at. */
export interface SurroundingsLimits {
  readonly manifests: number;
  readonly references: number;
}

/** What is found: `repositoryExists`, and what is to be deleted there, or the name of a limit that it is beyond. */
export interface FoundSurroundings {
  readonly repositoryExists: boolean;
  readonly surroundings: Surroundings | keyof SurroundingsLimits | undefined;
}

/** Manifests of the repository ?1 that ?2, a tag or a digest, names (`target`), and all that they list or are the subjects of, and so on. */
function reached(kind: Reference["kind"], limit: number): string {
  const named = kind === "digest" ? "?2" : "(SELECT t.digest FROM tags t WHERE t.repository_id = r.id AND t.name = ?2)";
  return `
    WITH RECURSIVE target (repository_id, digest) AS (
      SELECT r.id, m.digest FROM repositories r
      CROSS JOIN manifests m ON m.repository_id = r.id AND m.digest = ${named} AND m.deleted_at IS NULL
      WHERE r.name = ?1),
    reached (repository_id, digest) AS (
      SELECT repository_id, digest FROM target
      UNION
      SELECT m.repository_id, m.digest FROM reached
      CROSS JOIN manifest_references mr INDEXED BY manifest_listings
       ON mr.repository_id = reached.repository_id AND mr.manifest_digest = reached.digest AND mr.role = 'manifest'
      CROSS JOIN manifests m ON m.repository_id = mr.repository_id AND m.digest = mr.digest AND m.deleted_at IS NULL
      UNION
      SELECT m.repository_id, m.digest FROM reached
      CROSS JOIN manifests m INDEXED BY manifests_by_subject
       ON m.repository_id = reached.repository_id AND m.subject_digest = reached.digest AND m.deleted_at IS NULL
      LIMIT ${limit})`;
}

/** A manifest (h) that is not on its way out itself, and is none of those that are reached. */
const IS_HOLDER = "h.deleted_at IS NULL AND h.hold_count > 0 AND h.digest NOT IN (SELECT digest FROM reached)";

/** Whether something holds the manifest (m) that would not go; ?3 is the tag that does. */
const IS_HELD = `
  EXISTS (SELECT 1 FROM tags t WHERE t.repository_id = m.repository_id AND t.digest = m.digest AND t.name IS NOT ?3)
  OR EXISTS (SELECT 1 FROM manifests h
             WHERE h.repository_id = m.repository_id AND h.digest = m.subject_digest AND ${IS_HOLDER})
  OR EXISTS (SELECT 1 FROM manifest_references mr
             CROSS JOIN manifests h ON h.repository_id = mr.repository_id AND h.digest = mr.manifest_digest
             WHERE mr.repository_id = m.repository_id AND mr.digest = m.digest AND mr.role = 'manifest' AND ${IS_HOLDER})`;

/** Whether something of the repository needs the blob (b) that would not go. */
const IS_NEEDED_HERE = `
  EXISTS (SELECT 1 FROM manifest_references mr
             CROSS JOIN manifests h ON h.repository_id = mr.repository_id AND h.digest = mr.manifest_digest
             WHERE mr.repository_id = held.repository_id AND mr.digest = b.digest AND ${IS_HOLDER})`;

/** Whether another repository needs it. Who may not see all is not told: it would say what others hold. */
const IS_NEEDED_ELSEWHERE = `
  EXISTS (SELECT 1 FROM repository_blobs o
          WHERE o.digest = b.digest AND o.repository_id <> held.repository_id AND o.reference_count > 0)`;

/**
 * What a tag or a digest names, and all that lives by it, for someone who may see it or not. One round trip, which reads what it
 * gives, three times, and beside each the first thing that holds it.
 */
export async function findSurroundings(
  db: D1Database,
  asker: Asker,
  reference: Reference,
  limits: SurroundingsLimits,
): Promise<Ruled<FoundSurroundings>> {
  const { repository } = asker;
  const { kind } = reference;
  const [named, tag] = kind === "tag" ? [reference.tag, reference.tag] : [reference.digest, null];
  const isNeeded = asker.visibility === "all" ? `${IS_NEEDED_ELSEWHERE} OR ${IS_NEEDED_HERE}` : IS_NEEDED_HERE;
  const from = reached(kind, limits.manifests + 1);
  const withoutTag = (sql: string) => db.prepare(`${from} ${sql}`).bind(repository, named);
  const withTag = (sql: string) => db.prepare(`${from} ${sql}`).bind(repository, named, tag);
  const { rules, results } = await askWithRules(db, asker, [
    selectRepository(db, repository),
    withoutTag(
      `SELECT target.digest, (
         SELECT h.digest FROM manifest_references mr
         CROSS JOIN manifests h ON h.repository_id = mr.repository_id AND h.digest = mr.manifest_digest
         WHERE mr.repository_id = target.repository_id AND mr.digest = target.digest AND h.deleted_at IS NULL LIMIT 1) AS holder
       FROM target`,
    ),
    withoutTag(
      `SELECT t.name FROM target CROSS JOIN tags t ON t.repository_id = target.repository_id AND t.digest = target.digest`,
    ),
    withTag(
      `SELECT m.digest, m.size, m.subject_digest AS subject, (${IS_HELD}) AS is_held
       FROM reached CROSS JOIN manifests m ON m.repository_id = reached.repository_id AND m.digest = reached.digest`,
    ),
    withoutTag(
      `SELECT mr.manifest_digest AS manifest, mr.role, mr.digest
       FROM reached CROSS JOIN manifest_references mr
        ON mr.repository_id = reached.repository_id AND mr.manifest_digest = reached.digest
       LIMIT ${limits.references + 1}`,
    ),
    withoutTag(
      `SELECT b.digest, b.size, (${isNeeded}) AS is_held
       FROM (SELECT DISTINCT mr.repository_id, mr.digest
             FROM reached CROSS JOIN manifest_references mr
              ON mr.repository_id = reached.repository_id AND mr.manifest_digest = reached.digest
             LIMIT ${limits.references + 1}) held
       CROSS JOIN repository_blobs rb ON rb.repository_id = held.repository_id AND rb.digest = held.digest
       CROSS JOIN blobs b ON b.digest = rb.digest`,
    ),
  ]);
  const [known, targets, tags, manifests, references, blobs] = results.map((result) => result.results);
  const [target] = (targets ?? []) as { digest: Digest; holder: Digest | null }[];
  const repositoryExists = (known ?? []).length > 0;
  if (target === undefined) return { rules, found: { repositoryExists, surroundings: undefined } };
  const counts = { manifests: manifests ?? [], references: references ?? [] };
  for (const limit of ["manifests", "references"] as const) {
    if (counts[limit].length > limits[limit]) return { rules, found: { repositoryExists, surroundings: limit } };
  }
  const surroundings = {
    target: target.digest,
    tags: tag === null ? ((tags ?? []) as { name: Tag }[]).map(({ name }) => name) : [tag],
    heldBy: kind === "digest" ? (target.holder ?? undefined) : undefined,
    manifests: (counts.manifests as Row<ReachedManifest>[]).map(toReached),
    references: counts.references as Surroundings["references"],
    blobs: ((blobs ?? []) as Row<ReachedBlob>[]).map(toReached),
  };
  return { rules, found: { repositoryExists, surroundings } };
}

/** What is reached, as the database has it. */
type Row<T> = Omit<T, "isHeld"> & { readonly is_held: 0 | 1 };

function toReached<T>({ is_held, ...rest }: Row<T>) {
  return { ...rest, isHeld: is_held === 1 };
}
