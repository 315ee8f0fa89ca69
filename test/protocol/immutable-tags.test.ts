import { describe, expect, it } from "vitest";
import { digestOf, image, OCI_CONFIG, pushBlob, pushImage, pushManifest, putManifest } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, send } from "../support/registry.ts";

async function setImmutable(repository: string, exceptTags: readonly string[] = []): Promise<void> {
  const body = JSON.stringify({ immutableTags: true, exceptTags });
  await expectStatus(await send("PATCH", `/api/repositories/${repository}`, { body }), 200);
}

/** Where a tag points. */
async function target(repository: string, tag: string): Promise<string | null> {
  return (await send("HEAD", `/v2/${repository}/manifests/${tag}`)).headers.get("Docker-Content-Digest");
}

/** A manifest that the repository does not hold yet, and all that it needs. */
async function another(repository: string): Promise<object> {
  return image(await pushBlob(repository, JSON.stringify({ id: crypto.randomUUID() }), { mediaType: OCI_CONFIG }));
}

describe("an immutable tag", () => {
  it.each(["the repository", "a pattern"])(
    "by a rule for %s takes no other manifest, and tells where it stays",
    async (by) => {
      const repository = freshRepository();
      const { digest } = await pushImage(repository, { tag: "v1" });
      const rule = by === "a pattern" ? repository.replace(/r.*/, `${repository.slice(5, 12)}*`) : repository;
      await setImmutable(rule);
      const { message } = await expectError(
        await putManifest(repository, "v1", await another(repository)),
        403,
        "DENIED",
      );
      expect(message).toBe(`tag v1 is immutable, by the rule for ${rule}: it stays ${digest}`);
      expect(await target(repository, "v1")).toBe(digest);
    },
  );

  it("takes the same manifest again", async () => {
    const repository = freshRepository();
    await setImmutable(repository);
    const manifest = await another(repository);
    const { digest } = await pushManifest(repository, manifest, { tag: "v1" });
    await pushManifest(repository, manifest, { tag: "v1" });
    expect(await target(repository, "v1")).toBe(digest);
  });

  it("keeps nothing of a push that would move it, be it by one tag of several", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1" });
    await setImmutable(repository);
    const manifest = await another(repository);
    const response = await send("PUT", `/v2/${repository}/manifests/v2?tag=v3&tag=v1`, {
      body: JSON.stringify(manifest),
      headers: { "Content-Type": "application/vnd.oci.image.manifest.v1+json" },
    });
    await expectError(response, 403, "DENIED");
    const tags = await (await send("GET", `/v2/${repository}/tags/list`)).json<{ tags: string[] }>();
    expect(tags.tags).toEqual(["v1"]);
    const digest = await digestOf(JSON.stringify(manifest));
    await expectError(await send("GET", `/v2/${repository}/manifests/${digest}`), 404, "MANIFEST_UNKNOWN");
  });

  it("is not deleted, by itself or with its manifest", async () => {
    const repository = freshRepository();
    const { digest } = await pushImage(repository, { tag: "v1" });
    await setImmutable(repository);
    for (const reference of ["v1", digest]) {
      const response = await send("DELETE", `/v2/${repository}/manifests/${reference}`);
      expect((await expectError(response, 403, "DENIED")).message).toContain("tag v1 is immutable");
    }
    expect(await target(repository, "v1")).toBe(digest);
  });

  it("moves where a tag pattern excepts it", async () => {
    const repository = freshRepository();
    await setImmutable(repository, ["dev-*", "latest"]);
    for (const tag of ["dev-1", "latest"]) {
      await pushImage(repository, { tag });
      const { digest } = await pushImage(repository, { tag });
      expect(await target(repository, tag)).toBe(digest);
      await expectStatus(await send("DELETE", `/v2/${repository}/manifests/${tag}`), 202);
    }
    await pushImage(repository, { tag: "latest2" });
    await expectError(await putManifest(repository, "latest2", await another(repository)), 403, "DENIED");
  });

  it("stays while any rule says so, and moves when none does any more", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "dev-1" });
    await setImmutable(repository);
    await setImmutable(`${repository.split("/")[0]!}/${repository.split("/")[1]!.slice(0, 20)}*`, ["dev-*"]);
    await expectError(await putManifest(repository, "dev-1", await another(repository)), 403, "DENIED");
    await expectStatus(
      await send("PATCH", `/api/repositories/${repository}`, { body: '{"immutableTags":false}' }),
      200,
    );
    await expectStatus(await putManifest(repository, "dev-1", await another(repository)), 201);
  });

  it("is a matter of one repository: its neighbours' tags move", async () => {
    const repository = freshRepository();
    await setImmutable(repository);
    for (const other of [`${repository}/sub`, `${repository}-2`]) {
      await pushImage(other, { tag: "v1" });
      const { digest } = await pushImage(other, { tag: "v1" });
      expect(await target(other, "v1")).toBe(digest);
    }
  });

  it("is pushed by one of many at once, and stays that", async () => {
    const repository = freshRepository();
    await setImmutable(repository);
    const manifests = await Promise.all(Array.from({ length: 8 }, async () => await another(repository)));
    const responses = await Promise.all(manifests.map(async (one) => await putManifest(repository, "v1", one)));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([201, 403, 403, 403, 403, 403, 403, 403]);
    const winner = responses.find(({ status }) => status === 201)!;
    expect(await target(repository, "v1")).toBe(winner.headers.get("Docker-Content-Digest"));
  });
});
