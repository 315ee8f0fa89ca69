import { createHash } from "node:crypto";
import { runSchedule } from "../../src/lifecycle/schedule.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { isSame, pullBlob, pullManifest, type Scene } from "./scene.ts";
import type { ManifestContent } from "./contents.ts";
import type { SimulatedD1 } from "./d1.ts";
import { ABSENT, PRESENT } from "./model.ts";
import type { SimulatedR2 } from "./r2.ts";

/** What a history leaves behind. */
export interface End extends Scene {
  readonly db: SimulatedD1;
  readonly bucket: SimulatedR2;
}

/** Longer than every time after which something is due. */
const QUIET_MS = 24 * 60 * 60_000;

/** Runs of the schedule after which nothing may be left to do; each takes a bounded batch. */
const QUIET_RUNS_MAX = 60;

/** Runs the schedule, day after day, until it finds nothing to do. */
export async function letQuietTimePass({ world, network, service, db, bucket }: End): Promise<void> {
  network.isCalm = true;
  for (let runs = 0; runs < QUIET_RUNS_MAX; runs += 1) {
    const before = fingerprint(db, bucket);
    world.now += QUIET_MS;
    await service.calmly(runSchedule);
    if (fingerprint(db, bucket) === before) return;
  }
  throw world.violate("the schedule always finds something to do");
}

function fingerprint(db: SimulatedD1, bucket: SimulatedR2): string {
  const [count] = db.query<{ changes: number }>("SELECT total_changes() AS changes");
  return [count?.changes, bucket.objects.size, bucket.uploads.size].join();
}

/** Each row has its bytes, and each manifest all that it refers to. */
export function checkStored({ world, db, bucket, catalog }: End): void {
  for (const row of db.query<{ digest: string; size: number; object_key: string }>(
    "SELECT digest, size, object_key FROM blobs",
  )) {
    const bytes = bucket.objects.get(row.object_key)?.bytes;
    const name = catalog.byDigest.get(row.digest)?.name ?? row.digest;
    if (!bytes) throw world.violate(`the object of ${name} is gone: ${row.object_key}`);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (digest !== row.digest || bytes.byteLength !== row.size)
      throw world.violate(`the object of ${name} has other bytes`);
  }
  for (const row of db.query<{ digest: string; bytes: string | null; object_key: string | null }>(
    "SELECT digest, bytes, object_key FROM manifests",
  )) {
    const content = catalog.byDigest.get(row.digest);
    const stored = row.object_key === null ? Buffer.from(row.bytes ?? "") : bucket.objects.get(row.object_key)?.bytes;
    if (!stored) throw world.violate(`the object of ${content?.name ?? row.digest} is gone: ${row.object_key ?? ""}`);
    if (!content || !isSame(stored, content.bytes)) throw world.violate(`${row.digest} has other bytes`);
  }
  const [dangling] = db.query<{ repository: string; manifest_digest: string; digest: string }>(
    `SELECT r.name AS repository, mr.manifest_digest, mr.digest
     FROM manifest_references mr JOIN repositories r ON r.id = mr.repository_id
     WHERE NOT EXISTS (SELECT 1 FROM repository_blobs b WHERE b.repository_id = r.id AND b.digest = mr.digest)
       AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id AND m.digest = mr.digest)`,
  );
  if (dangling) {
    const [manifest, content] = [dangling.manifest_digest, dangling.digest].map((of) => catalog.byDigest.get(of)?.name);
    throw world.violate(`${dangling.repository} has ${manifest ?? ""} without ${content ?? ""}`);
  }
}

/** Everything that is certainly there is what operations give, byte by byte, with all that it holds. */
export async function checkAcknowledged(end: End): Promise<void> {
  const { model, repositories, tags, catalog, world, service } = end;
  for (const repository of repositories) {
    for (const content of catalog.manifests) {
      if (model.certain(model.manifest(repository, content.digest)) === PRESENT)
        await checkManifest(end, repository, content);
    }
    for (const content of catalog.blobs) {
      if (model.certain(model.blob(repository, content.digest)) !== PRESENT) continue;
      const bytes = await service.calmly(async (context) => await pullBlob(context, repository, content));
      if (!isSame(bytes, content.bytes)) throw world.violate(`${repository} ${content.name} has other bytes`);
    }
    for (const tag of tags) {
      const digest = model.certain(model.tag(repository, tag));
      if (digest === undefined || digest === ABSENT) continue;
      const found = await service.calmly(
        async (context) => await pullManifest(context, repository, { kind: "tag", tag }),
      );
      if (found.digest !== digest) throw world.violate(`${repository} ${tag} names another manifest`);
    }
  }
}

async function checkManifest(end: End, repository: RepositoryName, content: ManifestContent): Promise<void> {
  const { service, world } = end;
  const { bytes } = await service.calmly(
    async (context) => await pullManifest(context, repository, { kind: "digest", digest: content.digest }),
  );
  if (!isSame(bytes, content.bytes)) throw world.violate(`${repository} ${content.name} has other bytes`);
  for (const blob of content.blobs) {
    const stored = await service.calmly(async (context) => await pullBlob(context, repository, blob));
    if (!isSame(stored, blob.bytes)) throw world.violate(`${repository} ${blob.name} has other bytes`);
  }
  for (const child of content.children) await checkManifest(end, repository, child);
}

/**
 * Nothing is left that nothing needs: no session, no note of a discarded object, no object that no row names.
 *
 * What a Worker stored just before it died, or before the note of it failed, is noted nowhere: until a collection lists the
 * bucket, such objects may stay. Nor is there a collection of blobs and manifests that nothing refers to.
 */
export function checkNothingIsLeft({ world, db, bucket }: End): void {
  for (const table of ["upload_sessions", "upload_parts", "discarded_objects"]) {
    const [row] = db.query(`SELECT * FROM ${table} LIMIT 1`);
    if (row) throw world.violate(`${table} still has ${JSON.stringify(row)}`);
  }
  const named = new Set(
    db
      .query<{ object_key: string }>("SELECT object_key FROM blobs UNION ALL SELECT object_key FROM manifests")
      .map((row) => row.object_key),
  );
  for (const [key, { run }] of bucket.objects) {
    if (!named.has(key) && !run.isFaulted) throw world.violate(`${run.label} left ${key}, which no row names`);
  }
  for (const { key, run } of bucket.uploads.values()) {
    if (!run.isFaulted) throw world.violate(`${run.label} left the multipart upload of ${key}`);
  }
}
