import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { emptyStorage } from "../support/empty-storage.ts";
import { age, collectAll, tick } from "../support/aging.ts";
import { image, index, OCI_CONFIG, pushBlob, pushImage, pushManifest, type Descriptor } from "../support/images.ts";
import { endGrace, expectError, expectStatus, freshRepository, send } from "../support/registry.ts";

// A batch is bounded: the garbage of other files would have its turn first.
beforeAll(emptyStorage);

const isThere = async (repository: string, digest: string) =>
  (await send("GET", `/v2/${repository}/manifests/${digest}`)).status === 200;
const holdsBlob = async (repository: string, digest: string) =>
  (await send("GET", `/v2/${repository}/blobs/${digest}`)).status === 200;
const remove = async (repository: string, reference: string) =>
  await expectStatus(await send("DELETE", `/v2/${repository}/manifests/${reference}`), 202);

/** The object of a blob, whether or not a row still names it. */
async function objectKeyOf(digest: string): Promise<string> {
  return (await env.DB.prepare("SELECT object_key FROM blobs WHERE digest = ?1")
    .bind(digest)
    .first<string>("object_key"))!;
}

async function pushUnique(repository: string): Promise<Descriptor> {
  return await pushBlob(repository, crypto.randomUUID());
}

describe("a blob that no manifest refers to", () => {
  it("goes after a grace, is counted down for another, and its object follows", async () => {
    const repository = freshRepository();
    const { digest } = await pushUnique(repository);
    const key = await objectKeyOf(digest);
    await tick();
    expect(await holdsBlob(repository, digest)).toBe(true);
    await age(repository);
    await tick();
    await tick();
    expect(await holdsBlob(repository, digest)).toBe(true);
    await age(repository);
    await tick();
    expect(await holdsBlob(repository, digest)).toBe(false);
    expect(await env.BUCKET.head(key)).not.toBeNull();
    await endGrace();
    await tick();
    expect(await env.BUCKET.head(key)).toBeNull();
  });

  it.each<[string, (repository: string, blob: Descriptor) => Promise<unknown>]>([
    [
      "a HEAD",
      async (repository, { digest }) =>
        await expectStatus(await send("HEAD", `/v2/${repository}/blobs/${digest}`), 200),
    ],
    [
      "a mount",
      async (repository, { digest }) =>
        await expectStatus(
          await send("POST", `/v2/${repository}/blobs/uploads/?mount=${digest}&from=${repository}`),
          201,
        ),
    ],
    ["a manifest", async (repository, blob) => await pushManifest(repository, image(blob), { tag: "v1" })],
  ])("that was condemned is pardoned by %s", async (_what, ask) => {
    const repository = freshRepository();
    const blob = await pushUnique(repository);
    await age(repository);
    await tick();
    await env.DB.prepare("UPDATE repository_blobs SET condemned_at = 0 WHERE digest = ?1").bind(blob.digest).run();
    await ask(repository, blob);
    await tick();
    expect(await holdsBlob(repository, blob.digest)).toBe(true);
  });

  it("that was condemned is pardoned by a push of the same bytes", async () => {
    const repository = freshRepository();
    const content = crypto.randomUUID();
    const { digest } = await pushBlob(repository, content);
    await age(repository);
    await tick();
    await env.DB.prepare("UPDATE repository_blobs SET condemned_at = 0 WHERE digest = ?1").bind(digest).run();
    await pushBlob(repository, content);
    await tick();
    expect(await holdsBlob(repository, digest)).toBe(true);
  });

  it("goes from one repository, and stays in another", async () => {
    const [here, there] = [freshRepository(), freshRepository()];
    const content = crypto.randomUUID();
    const blob = await pushBlob(here, content);
    await pushBlob(there, content);
    await pushManifest(there, image(blob), { tag: "v1" });
    await collectAll(here);
    expect(await holdsBlob(here, blob.digest)).toBe(false);
    expect(await holdsBlob(there, blob.digest)).toBe(true);
  });
});

describe("an image", () => {
  it("that is tagged stays, with all that it refers to", async () => {
    const repository = freshRepository();
    const blobs = [await pushUnique(repository), await pushUnique(repository)];
    const { digest } = await pushManifest(repository, image(blobs[0]!, [blobs[1]!]), { tag: "v1" });
    await collectAll(repository);
    expect(await isThere(repository, digest)).toBe(true);
    for (const blob of blobs) expect(await holdsBlob(repository, blob.digest)).toBe(true);
  });

  it("whose tag has moved on can be pulled by digest until its time is over, and then goes with its blobs", async () => {
    const repository = freshRepository();
    const blob = await pushUnique(repository);
    const old = await pushManifest(repository, image(blob), { tag: "v1" });
    await pushImage(repository, { tag: "v1" });
    await tick();
    await tick();
    expect(await isThere(repository, old.digest)).toBe(true);
    await collectAll(repository);
    expect(await isThere(repository, old.digest)).toBe(false);
    expect(await holdsBlob(repository, blob.digest)).toBe(false);
    expect((await send("GET", `/v2/${repository}/manifests/v1`)).status).toBe(200);
  });

  it("that is tagged again in time stays", async () => {
    const repository = freshRepository();
    const manifest = image(await pushUnique(repository));
    const { digest } = await pushManifest(repository, manifest, { tag: "v1" });
    await remove(repository, "v1");
    await tick();
    await age(repository);
    await pushManifest(repository, manifest, { tag: "v2" });
    await collectAll(repository);
    expect(await isThere(repository, digest)).toBe(true);
  });

  it.each([
    ["0s", false],
    ["never", true],
    ["30d", true],
  ])("untagged stays as UNTAGGED_TTL has it: %s", async (UNTAGGED_TTL, stays) => {
    const repository = freshRepository();
    const { digest } = await pushImage(repository, { tag: "v1" });
    await remove(repository, "v1");
    await env.DB.prepare("UPDATE manifests SET pushed_at = 0 WHERE digest = ?1").bind(digest).run();
    await tick({ UNTAGGED_TTL });
    await tick({ UNTAGGED_TTL });
    expect(await isThere(repository, digest)).toBe(stays);
  });

  it("that is not tagged yet, since its index is on its way, has a grace whatever UNTAGGED_TTL says", async () => {
    const repository = freshRepository();
    const child = await pushImage(repository);
    await tick({ UNTAGGED_TTL: "0s" });
    await tick({ UNTAGGED_TTL: "0s" });
    await pushManifest(repository, index([child]), { tag: "v1" });
    await collectAll(repository);
    expect(await isThere(repository, child.digest)).toBe(true);
  });
});

describe("what holds a manifest", () => {
  it("is an index, by any depth", async () => {
    const repository = freshRepository();
    const child = await pushImage(repository);
    const inner = await pushManifest(repository, index([child]));
    await pushManifest(repository, index([inner]), { tag: "v1" });
    await collectAll(repository);
    for (const { digest } of [child, inner]) expect(await isThere(repository, digest)).toBe(true);
    await remove(repository, "v1");
    await collectAll(repository);
    await collectAll(repository);
    for (const { digest } of [child, inner]) expect(await isThere(repository, digest)).toBe(false);
  });

  it.each(["a push", "a tag"])("is an index without tags, beside which %s gives it a time of its own", async (what) => {
    const repository = freshRepository();
    const manifest = image(await pushUnique(repository));
    const child = await pushManifest(repository, manifest);
    const parent = await pushManifest(repository, index([child]));
    await tick();
    await age(repository);
    await pushManifest(repository, manifest, what === "a tag" ? { tag: "v1" } : {});
    // Beyond the grace of a push, and well within the time of what has no tag.
    const pushedAt = Date.now() - 2 * 86_400_000;
    await env.DB.prepare("UPDATE manifests SET pushed_at = ?2 WHERE digest = ?1").bind(child.digest, pushedAt).run();
    if (what === "a tag") await remove(repository, "v1");
    await tick();
    await tick();
    expect(await isThere(repository, parent.digest)).toBe(false);
    expect(await isThere(repository, child.digest)).toBe(true);
  });

  it("is another index, when one goes", async () => {
    const repository = freshRepository();
    const [shared, own] = [await pushImage(repository), await pushImage(repository)];
    const one = await pushManifest(repository, index([shared, own]), { tag: "one" });
    await pushManifest(repository, index([shared]), { tag: "other" });
    await remove(repository, one.digest);
    await collectAll(repository);
    expect(await isThere(repository, shared.digest)).toBe(true);
    expect(await isThere(repository, own.digest)).toBe(false);
  });

  it("is its subject: signatures live as long as the image", async () => {
    const repository = freshRepository();
    const subject = await pushImage(repository, { tag: "v1" });
    const signature = await pushImage(repository, { more: { subject, artifactType: "application/x-signature" } });
    const ofSignature = await pushImage(repository, { more: { subject: signature } });
    await collectAll(repository);
    for (const { digest } of [signature, ofSignature]) expect(await isThere(repository, digest)).toBe(true);
    await remove(repository, subject.digest);
    await collectAll(repository);
    await collectAll(repository);
    for (const { digest } of [subject, signature, ofSignature]) expect(await isThere(repository, digest)).toBe(false);
  });

  it("is a subject that comes later", async () => {
    const repository = freshRepository();
    const config = await pushBlob(repository, JSON.stringify({ id: crypto.randomUUID() }), { mediaType: OCI_CONFIG });
    const manifest = image(config);
    const bytes = new TextEncoder().encode(JSON.stringify(manifest));
    const digest = `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
    const subject = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: bytes.byteLength };
    const signature = await pushImage(repository, { more: { subject } });
    await pushManifest(repository, manifest, { tag: "v1" });
    await collectAll(repository);
    expect(await isThere(repository, signature.digest)).toBe(true);
  });

  it("is a cache of BuildKit, which lists its layers as manifests", async () => {
    const repository = freshRepository();
    const layer = await pushUnique(repository);
    await pushManifest(repository, index([layer]), { tag: "cache" });
    await collectAll(repository);
    expect(await holdsBlob(repository, layer.digest)).toBe(true);
  });
});

describe("what was deleted", () => {
  it("is gone for clients at once, and a push of it brings it back", async () => {
    const repository = freshRepository();
    const manifest = image(await pushUnique(repository));
    const { digest } = await pushManifest(repository, manifest, { tag: "v1" });
    await remove(repository, digest);
    for (const reference of [digest, "v1"]) expect(await isThere(repository, reference)).toBe(false);
    await expectError(await send("DELETE", `/v2/${repository}/manifests/${digest}`), 404, "MANIFEST_UNKNOWN");
    await pushManifest(repository, manifest, { tag: "v1" });
    await collectAll(repository);
    expect(await isThere(repository, "v1")).toBe(true);
  });

  it("does not make a manifest acceptable whose blobs have gone meanwhile", async () => {
    const repository = freshRepository();
    const blob = await pushUnique(repository);
    const manifest = image(blob);
    const { digest } = await pushManifest(repository, manifest, { tag: "v1" });
    await remove(repository, digest);
    await expectStatus(await send("DELETE", `/v2/${repository}/blobs/${blob.digest}`), 202);
    const response = await send("PUT", `/v2/${repository}/manifests/v1`, {
      body: JSON.stringify(manifest),
      headers: { "Content-Type": "application/vnd.oci.image.manifest.v1+json" },
    });
    await expectError(response, 404, "MANIFEST_BLOB_UNKNOWN");
    expect(await isThere(repository, "v1")).toBe(false);
  });

  it("is collected when its time is over", async () => {
    const repository = freshRepository();
    const blob = await pushUnique(repository);
    const { digest } = await pushManifest(repository, image(blob), { tag: "v1" });
    const key = await objectKeyOf(blob.digest);
    await remove(repository, digest);
    await collectAll(repository);
    expect(await env.BUCKET.head(key)).toBeNull();
    for (const table of ["manifests", "manifest_references", "repository_blobs"]) {
      const sql = `SELECT COUNT(*) AS n FROM ${table} WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)`;
      expect([table, await env.DB.prepare(sql).bind(repository).first("n")]).toEqual([table, 0]);
    }
  });
});

describe("counts", () => {
  it("are what they count, after everything", async () => {
    const wrong = await env.DB.batch(
      [
        `SELECT digest FROM repository_blobs rb WHERE reference_count <> (
           SELECT COUNT(*) FROM manifest_references WHERE repository_id = rb.repository_id AND digest = rb.digest)`,
        "SELECT digest FROM blobs b WHERE link_count <> (SELECT COUNT(*) FROM repository_blobs WHERE digest = b.digest)",
        `SELECT digest FROM manifests m WHERE hold_count <>
           (SELECT COUNT(*) FROM tags WHERE repository_id = m.repository_id AND digest = m.digest)
           + (SELECT COUNT(*) FROM manifest_references WHERE repository_id = m.repository_id AND digest = m.digest AND role = 'manifest')
           + EXISTS (SELECT 1 FROM manifests WHERE repository_id = m.repository_id AND digest = m.subject_digest)`,
        "SELECT digest FROM manifests WHERE unheld_at IS NOT NULL AND hold_count > 0",
        "SELECT digest FROM repository_blobs WHERE condemned_at IS NOT NULL AND reference_count > 0",
      ].map((sql) => env.DB.prepare(sql)),
    );
    expect(wrong.map(({ results }) => results)).toEqual([[], [], [], [], []]);
  });
});
