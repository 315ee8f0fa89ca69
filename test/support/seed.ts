import { env } from "cloudflare:workers";
import type { Descriptor } from "./manifest-content.ts";

/** The first `count` of a fixed series of blobs, held by a repository. Rows alone: no object backs them. */
export async function seedBlobs(repository: string, count: number): Promise<Descriptor[]> {
  const rows = `WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?2)
                SELECT 'sha256:' || printf('aaaa%060x', value) AS digest, 1000 + value AS size FROM n`;
  const results = await env.DB.batch<Descriptor>(
    [
      "INSERT INTO repositories (name, created_at) SELECT ?1, 0 WHERE ?2 > 0 ON CONFLICT DO NOTHING",
      `INSERT INTO blobs (digest, size, object_key, created_at)
       SELECT digest, size, 'blobs/' || digest, 0 FROM (${rows}) WHERE ?1 <> '' ON CONFLICT DO NOTHING`,
      `INSERT INTO repository_blobs (repository_id, digest, linked_at)
       SELECT r.id, n.digest, 0 FROM repositories r, (${rows}) n WHERE r.name = ?1 ON CONFLICT DO NOTHING`,
      `SELECT * FROM (${rows}) WHERE ?1 <> ''`,
    ].map((sql) => env.DB.prepare(sql).bind(repository, count)),
  );
  return results[3]?.results ?? [];
}

/** A repository that holds what {@link seedOthers} makes, all of it. */
export const BIG_REPOSITORY = "other/big";

/**
 * Makes `count` repositories, each with a blob of its own, a manifest and a tag; one big repository that holds them all;
 * and as many uploads that are under way, accounts, access tokens and trust rules, with rules for each, and events.
 */
export async function seedOthers(count: number): Promise<void> {
  const numbers = "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?1)";
  const digest = (kind: string) => `'sha256:' || printf('${kind}%060x', value)`;
  const own = "r.name = printf('other/r%06d', value)";
  const big = `r.name = '${BIG_REPOSITORY}'`;
  await env.DB.batch(
    [
      `${numbers} INSERT INTO repositories (name, created_at) SELECT printf('other/r%06d', value), 0 FROM n`,
      `INSERT INTO repositories (name, created_at) SELECT '${BIG_REPOSITORY}', 0 WHERE ?1 > 0`,
      `${numbers} INSERT INTO blobs (digest, size, object_key, created_at)
       SELECT ${digest("bbbb")}, 1, 'blobs/other-' || value, 0 FROM n`,
      ...[own, big].flatMap((repository) => [
        `${numbers} INSERT INTO repository_blobs (repository_id, digest, linked_at)
         SELECT r.id, ${digest("bbbb")}, 0 FROM n JOIN repositories r ON ${repository}`,
        `${numbers} INSERT INTO manifests (repository_id, digest, media_type, subject_digest, size, bytes, pushed_at, pushed_by)
         SELECT r.id, ${digest("cccc")}, 'application/vnd.oci.image.manifest.v1+json', ${digest("dddd")}, 2, '{}', 0, 'x'
         FROM n JOIN repositories r ON ${repository}`,
        `${numbers} INSERT INTO manifest_references (repository_id, manifest_digest, position, role, digest)
         SELECT r.id, ${digest("cccc")}, 0, 'layer', ${digest("bbbb")} FROM n JOIN repositories r ON ${repository}`,
        `${numbers} INSERT INTO tags (repository_id, name, digest, updated_at)
         SELECT r.id, 'tag' || value, ${digest("cccc")}, 0 FROM n JOIN repositories r ON ${repository}`,
        `${numbers} INSERT INTO tag_events (repository_id, name, digest, actor, occurred_at)
         SELECT r.id, 'tag' || value, ${digest("cccc")}, 'x', 0 FROM n JOIN repositories r ON ${repository}`,
      ]),
      `${numbers} INSERT INTO upload_sessions (id, repository, algorithm, tail, expires_at)
       SELECT 'other-' || value, 'other/uploads', 'sha256', '{"pieces":[],"inline":""}', 9e15 FROM n`,
      `${numbers} INSERT INTO accounts (name, role, password_hash, credential_id, created_at, created_by)
       SELECT 'other-' || value, 'member', 'x', 'other-' || value, 0, 'x' FROM n`,
      `${numbers} INSERT INTO access_tokens (id, name, secret_hash, created_at, created_by)
       SELECT 'other-' || value, 'other-' || value, 'x', 0, 'x' FROM n`,
      `${numbers} INSERT INTO trust_rules (name, issuer, audience, claims, repositories, actions, created_at, created_by)
       SELECT 'other-' || value, 'https://other-' || value, 'x', '{}', '[]', '[]', 0, 'x' FROM n`,
      ...["account", "token", "oidc"].flatMap((kind) =>
        ["other/r000001", "other/*"].map(
          (repository) =>
            `${numbers} INSERT INTO policy_rules (subject, repository, actions, created_at, created_by)
             SELECT '${kind}:other-' || value, '${repository}', '["pull"]', 0, 'x' FROM n`,
        ),
      ),
      `${numbers} INSERT INTO audit_events (id, actor, credential, action, repository)
       SELECT unixepoch() * 1000000 - value * 1000 + 500, 'account:other-' || value, 'x', 'manifest.push', '${BIG_REPOSITORY}' FROM n`,
    ].map((sql) => env.DB.prepare(sql).bind(count)),
  );
}

/** Referrers of one subject, each of its own artifact type: `test/1` to `test/<count>`. */
export async function seedReferrers(repository: string, subject: string, count: number): Promise<void> {
  await env.DB.batch([
    env.DB.prepare("INSERT INTO repositories (name, created_at) VALUES (?1, 0)").bind(repository),
    env.DB.prepare(
      `WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?3)
       INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject_digest, size, bytes, pushed_at, pushed_by)
       SELECT r.id, 'sha256:' || printf('eeee%060x', value), 'application/vnd.oci.image.manifest.v1+json', 'test/' || value,
              ?2, 2, '{}', 0, 'x'
       FROM n JOIN repositories r ON r.name = ?1`,
    ).bind(repository, subject, count),
  ]);
}
