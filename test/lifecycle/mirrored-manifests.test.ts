import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { answerOf, callApi } from "../support/api.ts";
import { age, tick } from "../support/aging.ts";
import { emptyStorage } from "../support/empty-storage.ts";
import { index, pushImage, pushManifest } from "../support/images.ts";
import { type IdleMirror, idleMirror } from "../support/mirrors.ts";
import { expectStatus, send, sendWith } from "../support/registry.ts";
import { rows } from "../support/uploads.ts";

// A batch is bounded: the garbage of other files would have its turn first.
beforeAll(emptyStorage);

const DAY_MS = 86_400_000;

const pathOf = (repository: string, digest: string) => `/v2/${repository}/manifests/${digest}`;
const isThere = async ({ repository }: IdleMirror, digest: string) =>
  (await send("HEAD", pathOf(repository, digest))).status === 200;

/** A pull by digest, as Kubernetes makes it. */
async function pull({ repository, settings }: IdleMirror, digest: string): Promise<void> {
  const response = await sendWith(settings, "GET", pathOf(repository, digest));
  await (await expectStatus(response, 200)).arrayBuffer();
}

/** Lets two runs of collection pass, between which UNTAGGED_TTL ends. */
async function passTime({ repository }: IdleMirror, ageAll: (repository: string) => Promise<void>): Promise<void> {
  for (let time = 0; time < 2; time += 1) {
    await ageAll(repository);
    await tick();
  }
}

/** All but for how long pulls keep things. */
async function ageUnheld(repository: string): Promise<void> {
  await rows(
    `UPDATE manifests SET pushed_at = 0, unheld_at = IIF(unheld_at IS NULL, NULL, 0)
     WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)`,
    repository,
  );
}

const keptUntil = async (digest: string) =>
  (await rows<{ kept_until: number | null }>("SELECT kept_until FROM manifests WHERE digest = ?1", digest))[0]!
    .kept_until;

describe("a manifest of a mirror that nothing holds", () => {
  it("stays while it is pulled, and goes when nobody has pulled it for as long as the upstream's are kept", async () => {
    const mirror = await idleMirror();
    const { digest } = await pushImage(mirror.repository);
    await pull(mirror, digest);
    await passTime(mirror, ageUnheld);
    expect(await isThere(mirror, digest)).toBe(true);
    await passTime(mirror, age);
    expect(await isThere(mirror, digest)).toBe(false);
  });

  it("goes as any other where nobody ever pulled it", async () => {
    const mirror = await idleMirror();
    const { digest } = await pushImage(mirror.repository);
    await passTime(mirror, ageUnheld);
    expect(await isThere(mirror, digest)).toBe(false);
  });

  it("that waits to be collected is kept by a pull", async () => {
    const mirror = await idleMirror();
    const { digest } = await pushImage(mirror.repository);
    await tick();
    await pull(mirror, digest);
    await passTime(mirror, ageUnheld);
    expect(await isThere(mirror, digest)).toBe(true);
  });

  it.each<[string, (now: number) => number]>([
    ["30d", (now) => now + 30 * DAY_MS],
    ["1d", (now) => now + DAY_MS],
    ["never", () => 8.64e15],
  ])("is kept as the setting has it: %s", async (kept, expected) => {
    const mirror = await idleMirror({ kept });
    const { digest } = await pushImage(mirror.repository);
    await pull(mirror, digest);
    const early = expected(Date.now()) - (await keptUntil(digest))!;
    expect(early).toBeGreaterThanOrEqual(0);
    expect(early).toBeLessThan(60_000);
  });

  it("is pulled in vain where its upstream is configured no more", async () => {
    const mirror = await idleMirror();
    const { digest } = await pushImage(mirror.repository);
    await pull({ ...mirror, settings: { UPSTREAMS: "" } }, digest);
    expect(await keptUntil(digest)).toBeNull();
  });

  it("stays when the index goes that listed it, if it is pulled itself", async () => {
    const mirror = await idleMirror();
    const [pulled, other] = [await pushImage(mirror.repository), await pushImage(mirror.repository)];
    const { digest } = await pushManifest(mirror.repository, index([pulled, other]));
    await pull(mirror, pulled.digest);
    await passTime(mirror, ageUnheld);
    await passTime(mirror, ageUnheld);
    expect(await isThere(mirror, digest)).toBe(false);
    expect(await isThere(mirror, other.digest)).toBe(false);
    expect(await isThere(mirror, pulled.digest)).toBe(true);
  });

  it("waits for nothing while it is kept, says collection", async () => {
    const mirror = await idleMirror();
    const { digest } = await pushImage(mirror.repository);
    await pull(mirror, digest);
    await tick();
    const waiting = async () => {
      const { waiting: all } = await answerOf<{ waiting: { repository: string }[] }>(
        await callApi("GET", "collection"),
      );
      return all.filter(({ repository }) => repository === mirror.repository);
    };
    expect(await waiting()).toEqual([]);
    await age(mirror.repository);
    await tick();
    expect(await waiting()).toMatchObject([{ digest, reason: "untagged" }]);
  });
});

describe("a repository of our own under an upstream's name", () => {
  it("keeps nothing because it is pulled", async () => {
    const mirror = await idleMirror();
    const own = { ...mirror, repository: `${mirror.upstream}/own/app` };
    const { digest } = await pushImage(own.repository);
    await pull(own, digest);
    expect(await keptUntil(digest)).toBeNull();
    await passTime(own, ageUnheld);
    expect(await isThere(own, digest)).toBe(false);
  });
});

describe("what is known of a tag of a mirror", () => {
  it("goes with the tag", async () => {
    const { repository } = await idleMirror();
    await pushImage(repository, { tag: "v1" });
    await env.DB.prepare(
      "INSERT INTO mirrored_tags (repository_id, name, checked_at) SELECT id, 'v1', 1 FROM repositories WHERE name = ?1",
    )
      .bind(repository)
      .run();
    const known = async () =>
      await rows(
        "SELECT 1 FROM mirrored_tags mt JOIN repositories r ON r.id = mt.repository_id WHERE r.name = ?1",
        repository,
      );
    expect(await known()).toHaveLength(1);
    await expectStatus(await send("DELETE", pathOf(repository, "v1")), 202);
    expect(await known()).toEqual([]);
  });
});
