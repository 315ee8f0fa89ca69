import { createHash } from "node:crypto";
import { runSchedule } from "../../src/lifecycle/schedule.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { isSame, pullBlob, pullManifest, type Scene } from "./scene.ts";
import type { ManifestContent } from "./contents.ts";
import type { SimulatedD1 } from "./d1.ts";
import { ABSENT, PRESENT } from "./model.ts";
import type { SimulatedR2 } from "./r2.ts";
import { AUDIT_PAGE } from "./scale.ts";
import { HOUR_MS, type UntaggedTtl } from "./times.ts";

/** What a history leaves behind. */
export interface End extends Scene {
  readonly db: SimulatedD1;
  readonly bucket: SimulatedR2;
  readonly ttl: UntaggedTtl;
}

/** Longer than every time after which something is due. */
const QUIET_MS = 8 * 24 * HOUR_MS;

/** Runs of the schedule after which nothing may be left to do; each takes a bounded batch. */
const QUIET_RUNS_MAX = 150;

/** Runs the schedule, again and again, until it finds nothing to do, while the audit reads all of the bucket. */
export async function letQuietTimePass({ world, service, db, bucket }: End): Promise<void> {
  let before = fingerprint(db, bucket);
  let idleRuns = 0;
  for (let runs = 0; runs < QUIET_RUNS_MAX; runs += 1) {
    world.now += QUIET_MS;
    await service.calmly(runSchedule);
    const after = fingerprint(db, bucket);
    idleRuns = after === before ? idleRuns + 1 : 0;
    if (idleRuns > bucket.objects.size / AUDIT_PAGE + 1) return;
    before = after;
  }
  throw world.violate("the schedule always finds something to do");
}

/** All that the schedule changes but its own records, and where its audit stands. */
const STATE = `SELECT
  (SELECT COUNT(*) || ',' || COUNT(unheld_at) FROM manifests) || (SELECT COUNT(*) FROM tags)
  || (SELECT COUNT(*) || ',' || COUNT(condemned_at) FROM repository_blobs) || (SELECT COUNT(*) FROM blobs)
  || (SELECT COUNT(*) || ',' || (SELECT COUNT(*) FROM upload_sessions) FROM discarded_objects) AS state`;

function fingerprint(db: SimulatedD1, bucket: SimulatedR2): string {
  const [row] = db.query<{ state: string }>(STATE);
  return [row?.state, bucket.objects.size, bucket.uploads.size].join();
}

/** Each row has its bytes, and each manifest that was not deleted all that it refers to. */
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
     JOIN manifests holder ON holder.repository_id = r.id AND holder.digest = mr.manifest_digest AND holder.deleted_at IS NULL
     WHERE NOT EXISTS (SELECT 1 FROM repository_blobs b WHERE b.repository_id = r.id AND b.digest = mr.digest)
       AND NOT EXISTS (SELECT 1 FROM manifests m
                       WHERE m.repository_id = r.id AND m.digest = mr.digest AND m.deleted_at IS NULL)`,
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
