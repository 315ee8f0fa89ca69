import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Context } from "../../src/context.ts";
import { collectDue } from "../../src/lifecycle/collection.ts";
import { runSchedule } from "../../src/lifecycle/schedule.ts";
import { OciError } from "../../src/oci/error.ts";
import type { Digest } from "../../src/oci/digest.ts";
import type { Reference, Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { findBlob } from "../../src/registry/blobs.ts";
import { deleteManifest } from "../../src/registry/manifests.ts";
import { notePull } from "../../src/registry/pull-counts.ts";
import { pullManifest } from "../../src/registry/pulls.ts";
import { Recent } from "../../src/registry/recent.ts";
import { releaseTags, restoreTag } from "../../src/registry/tag-history.ts";
import { contextAt } from "../support/context.ts";
import { type Descriptor, image, OCI_CONFIG, pushBlob, pushImage, pushManifest } from "../support/images.ts";
import { freshRepository } from "../support/registry.ts";
import { watchBindings, type Watcher } from "../support/watched-bindings.ts";

const actor = { name: "account:test", credential: "test" };
const TTL_MS = 60_000;

/** An isolate, which is told of no change but its own. */
class Isolate {
  readonly recent = new Recent();
  /** Calls to D1. */
  calls = 0;
  /** What happens while the next call to D1 is under way: after it was answered, and before the answer is here. */
  meanwhile: (() => Promise<unknown>) | undefined;
  readonly deferred: Promise<unknown>[] = [];
  readonly #settings: Partial<Context["config"]>;

  constructor(settings: Partial<Context["config"]> = { contentCacheTtlMs: TTL_MS, tagCacheTtlMs: TTL_MS }) {
    this.#settings = settings;
  }

  contextAt(seconds = 0): Context {
    const watch: Watcher = async (_call, run) => {
      this.calls += 1;
      const answer = await run();
      const { meanwhile } = this;
      this.meanwhile = undefined;
      await meanwhile?.();
      return answer;
    };
    const context = contextAt(seconds / 3_600);
    return {
      ...context,
      config: { ...context.config, ...this.#settings },
      db: watchBindings(env, watch).DB,
      recent: this.recent,
      defer: (work) => void this.deferred.push(work),
    };
  }
}

/** The digest that a pull gets; undefined for 404. */
async function pull(context: Context, repository: string, reference: Reference): Promise<Digest | undefined> {
  try {
    return (await pullManifest(context, repository as RepositoryName, reference)).digest;
  } catch (error) {
    if (error instanceof OciError) return undefined;
    throw error;
  }
}

const byTag = (tag: string): Reference => ({ kind: "tag", tag: tag as Tag });
const byDigest = ({ digest }: { digest: string }): Reference => ({ kind: "digest", digest: digest as Digest });

async function makeImage(
  tag = "v1",
): Promise<{ repository: RepositoryName; manifest: Descriptor; config: Descriptor }> {
  const repository = freshRepository() as RepositoryName;
  const config = await pushBlob(repository, crypto.randomUUID(), { mediaType: OCI_CONFIG });
  return { repository, config, manifest: await pushManifest(repository, image(config), { tag }) };
}

describe("what an isolate was told", () => {
  it("is asked for again when it is as old as it may be", async () => {
    const { repository, manifest, config } = await makeImage();
    const isolate = new Isolate();
    const calls: number[] = [];
    for (const seconds of [0, 1, 59, 61, 62]) {
      await pull(isolate.contextAt(seconds), repository, byDigest(manifest));
      await findBlob(isolate.contextAt(seconds), repository, config.digest as Digest);
      calls.push(isolate.calls);
    }
    expect(calls).toEqual([2, 2, 2, 4, 4]);
  });

  it.each<[string, number, number, number[]]>([
    ["nothing, where both are 0s", 0, 0, [1, 2, 3, 4]],
    ["by digest alone, where tags are read strongly", TTL_MS, 0, [1, 2, 2, 2]],
    ["by tag alone, where content is", 0, TTL_MS, [1, 1, 2, 3]],
  ])("is kept as the settings say: %s", async (_name, contentCacheTtlMs, tagCacheTtlMs, expected) => {
    const { repository, manifest } = await makeImage();
    const isolate = new Isolate({ contentCacheTtlMs, tagCacheTtlMs });
    const calls: number[] = [];
    for (const reference of [byTag("v1"), byTag("v1"), byDigest(manifest), byDigest(manifest)]) {
      await pull(isolate.contextAt(), repository, reference);
      calls.push(isolate.calls);
    }
    expect(calls).toEqual(expected);
  });

  it("is of its repository alone", async () => {
    const { repository, manifest, config } = await makeImage();
    const isolate = new Isolate();
    await pull(isolate.contextAt(), repository, byTag("v1"));
    await findBlob(isolate.contextAt(), repository, config.digest as Digest);
    for (const other of [freshRepository(), `${repository}/x`, repository.slice(0, -1)] as RepositoryName[]) {
      expect(await pull(isolate.contextAt(), other, byDigest(manifest))).toBeUndefined();
      expect(await pull(isolate.contextAt(), other, byTag("v1"))).toBeUndefined();
      await expect(findBlob(isolate.contextAt(), other, config.digest as Digest)).rejects.toThrow(OciError);
    }
  });

  it("is not that something was not there", async () => {
    const repository = freshRepository();
    const isolate = new Isolate();
    const config = await pushBlob(repository, crypto.randomUUID(), { mediaType: OCI_CONFIG });
    expect(await pull(isolate.contextAt(), repository, byTag("v1"))).toBeUndefined();
    const manifest = await pushManifest(repository, image(config), { tag: "v1" });
    expect(await pull(isolate.contextAt(), repository, byTag("v1"))).toBe(manifest.digest);
  });

  it("is not kept when it was asked for just before this isolate changed it", async () => {
    const { repository, manifest } = await makeImage();
    const isolate = new Isolate();
    for (const reference of [byTag("v1"), byDigest(manifest)]) {
      isolate.meanwhile = async () => {
        await deleteManifest(isolate.contextAt(), { repository, reference: byDigest(manifest), actor });
      };
      expect(await pull(isolate.contextAt(), repository, reference)).toBe(manifest.digest);
      expect(await pull(isolate.contextAt(), repository, reference)).toBeUndefined();
      await restoreTag(contextAt(0), { repository, tag: "v1" as Tag }, manifest.digest as Digest, actor);
    }
  });

  it("is forgotten even when the answer to a change is lost", async () => {
    const { repository, manifest } = await makeImage();
    const isolate = new Isolate();
    await pull(isolate.contextAt(), repository, byDigest(manifest));
    isolate.meanwhile = async () => await Promise.reject(new Error("the answer was lost"));
    const deletion = { repository, reference: byDigest(manifest), actor };
    await expect(deleteManifest(isolate.contextAt(), deletion)).rejects.toThrow("the answer was lost");
    expect(await pull(isolate.contextAt(), repository, byDigest(manifest))).toBeUndefined();
  });

  it("is forgotten when a release moves a tag, in each of its repositories", async () => {
    const [one, two] = [await makeImage(), await makeImage()];
    const isolate = new Isolate();
    const releases = [];
    for (const { repository } of [one, two]) {
      await pull(isolate.contextAt(), repository, byTag("v1"));
      const { digest } = await pushImage(repository, { tag: "v2" });
      releases.push({ repository, tag: "v1" as Tag, digest: digest as Digest });
    }
    await releaseTags(isolate.contextAt(), releases, actor);
    for (const { repository, digest } of releases) {
      expect(await pull(isolate.contextAt(), repository, byTag("v1"))).toBe(digest);
    }
  });
});

describe("everything is forgotten", () => {
  it.each([
    ["that the schedule runs in", runSchedule],
    ["that collects on request", collectDue],
  ])("by an isolate %s", async (_what, job: (context: Context) => Promise<unknown>) => {
    const { repository, manifest } = await makeImage();
    const isolate = new Isolate();
    await pull(isolate.contextAt(), repository, byTag("v1"));
    await deleteManifest(contextAt(0), { repository, reference: byDigest(manifest), actor });
    expect(await pull(isolate.contextAt(), repository, byTag("v1"))).toBe(manifest.digest);
    await job(isolate.contextAt());
    expect(await pull(isolate.contextAt(), repository, byTag("v1"))).toBeUndefined();
  });
});

it("the pull of a manifest is noted once a day, however many pull what an isolate keeps", async () => {
  const { repository, manifest } = await makeImage();
  const isolate = new Isolate();
  for (const reference of [byTag("v1"), byDigest(manifest), byTag("v1")]) {
    const context = isolate.contextAt();
    notePull(context, repository, await pullManifest(context, repository, reference));
  }
  await Promise.all(isolate.deferred);
  expect([isolate.deferred.length, isolate.calls]).toEqual([1, 2]);
});
