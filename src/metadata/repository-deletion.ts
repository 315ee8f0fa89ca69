import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { recordAudit } from "./audit.ts";
import { endSessions } from "./uploads.ts";

/**
 * Deletes a repository with all that is in it, and the rule that made just it public, so that a later one of its name is not.
 * The blobs wait for collection. False if there is none. One round trip.
 */
export async function deleteRepository(
  db: D1Database,
  name: RepositoryName,
  actor: Actor,
  now: number,
): Promise<boolean> {
  const id = "(SELECT id FROM repositories WHERE name = ?1)";
  const all = (table: string) => db.prepare(`DELETE FROM ${table} WHERE repository_id = ${id}`).bind(name);
  const results = await db.batch([
    ...endSessions(db, "upload_sessions.repository = ?1", [name], now),
    all("tags"),
    all("tag_events"),
    db
      .prepare(
        `INSERT INTO discarded_objects (object_key, discarded_at, size)
         SELECT object_key, ?2, size FROM manifests WHERE repository_id = ${id} AND object_key IS NOT NULL`,
      )
      .bind(name, now),
    all("manifests"),
    all("repository_blobs"),
    db.prepare(`DELETE FROM policy_rules WHERE subject = 'anyone' AND repository = ?1 AND EXISTS ${id}`).bind(name),
    recordAudit(db, { action: "repository.delete", actor, repository: name }, now, `EXISTS ${id}`),
    db.prepare("DELETE FROM repositories WHERE name = ?1 RETURNING id").bind(name),
  ]);
  return (results.at(-1)?.results.length ?? 0) > 0;
}
