import { describe, expect, it } from "vitest";
import { answerOf, callApi, setRepository } from "../support/api.ts";
import { WatchedRegistry } from "../support/counted-registry.ts";
import {
  type Descriptor,
  DOCKER_MANIFEST,
  image,
  index,
  OCI_CONFIG,
  pushBlob,
  pushManifest,
  putManifest,
} from "../support/images.ts";
import { makeImage } from "../support/manifest-content.ts";
import * as push from "../support/pushes.ts";
import { expectStatus, freshRepository } from "../support/registry.ts";

const DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";

const labelled = (life: unknown): object => ({ config: { Labels: { "expires-after": life, maintainer: 1 } } });

/** A repository in which tags may end by themselves. */
async function optedIn(): Promise<string> {
  const repository = freshRepository();
  await answerOf(await setRepository(repository, { expiringTags: true }));
  return repository;
}

async function pushConfig(repository: string, config: unknown, mediaType = OCI_CONFIG): Promise<Descriptor> {
  return await pushBlob(repository, typeof config === "string" ? config : JSON.stringify(config), { mediaType });
}

/** How many minutes each tag of a repository has left; null: it stays. */
async function livesIn(repository: string): Promise<Record<string, number | null>> {
  const { tags } = await answerOf<{ tags: { name: string; expiresAt: string | null }[] }>(
    await callApi("GET", `tags?repository=${repository}`),
  );
  const toMinutes = (time: string) => Math.round((Date.parse(time) - Date.now()) / 60_000);
  return Object.fromEntries(
    tags.map(({ name, expiresAt }) => [name, expiresAt === null ? null : toMinutes(expiresAt)]),
  );
}

describe("the label expires-after of an image's config", () => {
  it.each([
    ["of an OCI image", OCI_CONFIG, {}],
    ["of Docker's", DOCKER_CONFIG, { mediaType: DOCKER_MANIFEST }],
    ["beside other annotations", OCI_CONFIG, { annotations: { "expires-after": "soon", other: "1h" } }],
  ])("%s ends its tags", async (_what, mediaType, more) => {
    const repository = await optedIn();
    const config = await pushConfig(repository, labelled("2h"), mediaType);
    await pushManifest(repository, image(config, [], more), { tag: "v1" });
    expect(await livesIn(repository)).toEqual({ v1: 120 });
  });

  it("ends all tags of its push, whatever they say themselves, and no other one", async () => {
    const repository = await optedIn();
    const manifest = image(await pushConfig(repository, labelled("2h")));
    const { digest } = await pushManifest(repository, manifest);
    await answerOf(await setRepository(repository, { expiringTags: false }));
    await pushManifest(repository, manifest, { tag: "before" });
    await answerOf(await setRepository(repository, { expiringTags: true }));
    await expectStatus(await putManifest(repository, `${digest}?tag=v1&tag=7d`, manifest), 201);
    expect(await livesIn(repository)).toEqual({ before: null, v1: 120, "7d": 120 });
  });

  it("gives way to the annotation, and goes with the image that a tag names", async () => {
    const repository = await optedIn();
    const config = await pushConfig(repository, labelled("2h"));
    const annotations = { "expires-after": "1h" };
    await pushManifest(repository, image(config, [], { annotations }), { tag: "annotated" });
    await pushManifest(repository, image(config), { tag: "moved" });
    await pushManifest(repository, image(await pushConfig(repository, {})), { tag: "moved" });
    expect(await livesIn(repository)).toEqual({ annotated: 60, moved: null });
  });

  it("leaves alone a tag that has moved on meanwhile", async () => {
    const repository = await optedIn();
    const config = await pushConfig(repository, labelled("2h"));
    const registry = new WatchedRegistry(async (call, proceed) => {
      const isEnd = call.binding === "DB" && call.statements.some(({ sql }) => sql.startsWith("UPDATE tags"));
      if (isEnd) await pushManifest(repository, image(await pushConfig(repository, {})), { tag: "v1" });
      return await proceed();
    });
    const pushed = await push.pushManifest(registry, repository, "v1", await makeImage([config]));
    expect([pushed.status, await livesIn(repository)]).toEqual([201, { v1: null }]);
  });

  it("says nothing where the repository lets no tag end", async () => {
    const repository = freshRepository();
    await pushManifest(repository, image(await pushConfig(repository, labelled("2h"))), { tag: "v1" });
    expect(await livesIn(repository)).toEqual({ v1: null });
  });

  it("says nothing for an index", async () => {
    const repository = await optedIn();
    const child = await pushManifest(repository, image(await pushConfig(repository, labelled("2h"))));
    await pushManifest(repository, index([child]), { tag: "all" });
    expect(await livesIn(repository)).toEqual({ all: null });
  });

  it.each<[string, unknown, string?]>([
    ["is no life", labelled("soon")],
    ["is no text", labelled(3_600)],
    ["is no time at all", labelled("0s")],
    ["is missing", { config: { Labels: {} } }],
    ["is among none", { config: { Labels: null } }],
    ["is in no config", []],
    ["is in no JSON", '{"config":{"Labels":{"expires-after":"2h"}}'],
    ["is in no text", "\u0000"],
    ["is in a config of another kind", labelled("2h"), "application/vnd.example.config.v1+json"],
    ["is in a config of more than 4 MiB", { ...labelled("2h"), padding: "x".repeat(4 * 1024 * 1024) }],
  ])("that %s says nothing, and keeps no image out", async (_what, config, mediaType) => {
    const repository = await optedIn();
    await pushManifest(repository, image(await pushConfig(repository, config, mediaType)), { tag: "v1" });
    expect(await livesIn(repository)).toEqual({ v1: null });
  });
});
