import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { INDEXED_TAGS_MAX } from "../../src/metadata/image-words.ts";
import { answerOf, callApi, setRepository } from "../support/api.ts";
import { CountedRegistry, type Measured, WatchedRegistry } from "../support/counted-registry.ts";
import {
  type Descriptor,
  makeImage,
  makeIndex,
  type ManifestContent,
  TOO_BIG_FOR_A_ROW,
} from "../support/manifest-content.ts";
import * as push from "../support/pushes.ts";
import { expectStatus, freshRepository, send } from "../support/registry.ts";
import { ask, freshWord, namesFound, searchPath } from "../support/searching.ts";

const IMAGE = "org.opencontainers.image.";

/** Waits for the work that no answer waits for. */
const registry = new CountedRegistry();

let repository: string;
beforeEach(() => {
  repository = freshRepository();
});

async function pushConfig(labels: object, more: object = {}): Promise<Descriptor> {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ id: crypto.randomUUID(), ...more, config: { Labels: labels } }),
  );
  return await push.storeBlob(registry, repository, bytes);
}

async function put(reference: string, manifest: ManifestContent): Promise<Measured> {
  const measured = await push.pushManifest(registry, repository, reference, manifest);
  expect(measured.status).toBe(201);
  return measured;
}

/** Pushes an image with these labels, and annotations. */
async function pushSaying(tag: string, labels: object, annotations: object = {}): Promise<ManifestContent> {
  const image = await makeImage([await pushConfig(labels)], { annotations });
  await put(tag, image);
  return image;
}

const descriptionFound = async (q: string) => (await ask(searchPath(q))).results[0]?.description;

describe("what images say", () => {
  it.each([
    ["a label of the config", (word: string): object[] => [{ "com.example.team": `the ${word} team` }, {}]],
    ["an annotation of the manifest", (word: string): object[] => [{}, { "com.example.team": `the ${word} team` }]],
    ["the title", (word: string): object[] => [{ [`${IMAGE}title`]: word }, {}]],
    ["the vendor", (word: string): object[] => [{}, { [`${IMAGE}vendor`]: word }]],
    ["the description", (word: string): object[] => [{ [`${IMAGE}description`]: `Does ${word}` }, {}]],
  ])("is found by %s", async (_what, saying) => {
    const word = freshWord();
    const [labels = {}, annotations] = saying(word);
    await pushSaying("v1", labels, annotations);
    expect(await namesFound(word)).toEqual([repository]);
    expect(await namesFound(word.slice(0, 8).toUpperCase())).toEqual([repository]);
  });

  it.each(["created", "revision", "version", "ref.name", "base.digest"])(
    "but not by its %s, which passes",
    async (name) => {
      const word = freshWord();
      await pushSaying("v1", { [`${IMAGE}${name}`]: word }, { [`${IMAGE}${name}`]: word });
      expect(await namesFound(word)).toEqual([]);
    },
  );

  it.each([
    ["no JSON", "none"],
    ["an array", "[1]"],
    ["labels that are none", JSON.stringify({ config: { Labels: ["a"] } })],
    ["labels of numbers", JSON.stringify({ config: { Labels: { a: 1, b: null } } })],
  ])("is nothing where the config is %s", async (_what, text) => {
    const config = await push.storeBlob(registry, repository, new TextEncoder().encode(`${text}${" ".repeat(9)}`));
    const annotations = { "test.id": freshWord() };
    await put("v1", await makeImage([config], { annotations }));
    expect(await namesFound(annotations["test.id"])).toEqual([repository]);
  });

  it("is found by what an index says, and the images that it lists", async () => {
    const [own, listed] = [freshWord(), freshWord()];
    const image = await makeImage([await pushConfig({ listed })]);
    await put(image.digest, image);
    const index = await makeIndex([image]);
    const json = JSON.parse(new TextDecoder().decode(index.bytes)) as object;
    const bytes = new TextEncoder().encode(JSON.stringify({ ...json, annotations: { own } }));
    expect(await namesFound(listed)).toEqual([]);
    await put("v1", { ...index, bytes });
    expect(await namesFound(own)).toEqual([repository]);
    expect(await namesFound(listed)).toEqual([repository]);
  });

  it("is the description of a repository that has none of its own, of the newest tag that has one", async () => {
    const word = freshWord();
    await pushSaying("v1", { [`${IMAGE}description`]: `Old ${word}` });
    await pushSaying("v2", { [`${IMAGE}description`]: `New ${word}` });
    await pushSaying("v3", {});
    expect(await descriptionFound(word)).toBe(`New ${word}`);
    const shown = await answerOf<{ description: string }>(await callApi("GET", `repositories/${repository}`));
    expect(shown.description).toBe(`New ${word}`);
    await answerOf(await setRepository(repository, { description: `Set ${word}` }));
    expect(await descriptionFound(word)).toBe(`Set ${word}`);
    await answerOf(await setRepository(repository, { description: "" }));
    expect(await descriptionFound(word)).toBe(`New ${word}`);
  });

  it("is its own: a config that only another repository holds is not looked at", async () => {
    const word = freshWord();
    const config = await pushConfig({ word });
    repository = freshRepository();
    await push.storeBlob(registry, repository, new TextEncoder().encode(repository));
    const sparse = new CountedRegistry({ SPARSE_MANIFESTS: "all" });
    const measured = await push.pushManifest(sparse, repository, "v1", await makeImage([config]));
    expect(measured.status).toBe(201);
    expect(await namesFound(word)).toEqual([]);
  });

  it("is bounded: a megabyte of annotations is not looked at, and a long value is cut", async () => {
    const word = freshWord();
    await put("big", await makeImage([await pushConfig({})], TOO_BIG_FOR_A_ROW));
    await pushSaying("v1", { long: `${"x ".repeat(400)}${word}`, short: `${word.slice(1)} short` });
    expect(await namesFound(word)).toEqual([]);
    expect(await namesFound(word.slice(1))).toEqual([repository]);
  });

  it(`is asked of the ${INDEXED_TAGS_MAX} tags that moved last`, async () => {
    const word = freshWord();
    await pushSaying("first", {}, { word });
    const other = await pushSaying("other", {});
    for (let n = 2; n < INDEXED_TAGS_MAX; n += 1) await put(`v${n}`, other);
    expect(await namesFound(word)).toEqual([repository]);
    await put("last", other);
    expect(await namesFound(word)).toEqual([]);
  });

  it("is not asked of what clients tag with the digest of its subject", async () => {
    const word = freshWord();
    await pushSaying("v1", {});
    await pushSaying(`sha256-${"a".repeat(64)}.sig`, { word });
    expect(await namesFound(word)).toEqual([]);
  });
});

describe("what no tag says any more is found no more, at once", () => {
  let word: string;
  let words: object;
  beforeEach(() => {
    word = freshWord();
    words = { said: word };
  });

  it.each([
    ["when the tag moves", async () => await pushSaying("v1", {})],
    ["when it is deleted", async () => await registry.send("DELETE", `/v2/${repository}/manifests/v1`)],
    [
      "when its manifest is deleted",
      async ({ digest }: ManifestContent) => await registry.send("DELETE", `/v2/${repository}/manifests/${digest}`),
    ],
  ])("%s", async (_when, change) => {
    const image = await pushSaying("v1", words);
    expect(await namesFound(word)).toEqual([repository]);
    await change(image);
    expect(await namesFound(word)).toEqual([]);
  });

  it("and stays where another tag says it", async () => {
    await pushSaying("v1", words);
    await pushSaying("v2", words);
    await registry.send("DELETE", `/v2/${repository}/manifests/v1`);
    expect(await namesFound(word)).toEqual([repository]);
    await registry.send("DELETE", `/v2/${repository}/manifests/v2`);
    expect(await namesFound(word)).toEqual([]);
  });
});

/** As if the Worker had died before it came to the work that no answer waits for. */
async function loseIndex(): Promise<void> {
  await env.DB.batch(
    [
      `INSERT OR REPLACE INTO repositories_to_index (repository_id) SELECT id FROM repositories WHERE name = ?1`,
      "DELETE FROM image_words WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)",
      `UPDATE repository_words SET name = ?1, description = '', readme = '', words = ''
       WHERE rowid = (SELECT id FROM repositories WHERE name = ?1)`,
      "UPDATE blobs SET labels = NULL WHERE last_repository_id = (SELECT id FROM repositories WHERE name = ?1)",
    ].map((sql) => env.DB.prepare(sql).bind(repository)),
  );
}

const waits = async () =>
  (await env.DB.prepare(
    "SELECT tries FROM repositories_to_index WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)",
  )
    .bind(repository)
    .first<{ tries: number }>()) ?? undefined;

/** Nothing of other tests waits before it. */
async function runSchedule(of: WatchedRegistry | CountedRegistry = registry): Promise<void> {
  await env.DB.prepare(
    "DELETE FROM repositories_to_index WHERE repository_id <> (SELECT id FROM repositories WHERE name = ?1)",
  )
    .bind(repository)
    .run();
  await of.runSchedule();
}

describe("the schedule", () => {
  it("indexes what was missed", async () => {
    const word = freshWord();
    await pushSaying("v1", { word });
    expect(await waits()).toBeUndefined();
    await loseIndex();
    expect(await namesFound(word)).toEqual([]);
    await runSchedule();
    expect(await namesFound(word)).toEqual([repository]);
    expect(await waits()).toBeUndefined();
  });

  it("comes back to a config that cannot be read, three times, and does without it then", async () => {
    const [word, other] = [freshWord(), freshWord()];
    await pushSaying("v1", { word }, { other });
    await loseIndex();
    const broken = new WatchedRegistry(async (call, run) => {
      if (call.operation === "get") throw new Error("failed on purpose");
      return await run();
    });
    for (const tries of [1, 2, 3]) {
      await runSchedule(broken);
      expect(await waits()).toEqual({ tries });
    }
    expect(await namesFound(other)).toEqual([repository]);
    expect(await namesFound(word)).toEqual([]);
    await runSchedule(broken);
    expect(await waits()).toBeUndefined();
  });
});

describe("what it costs", () => {
  it("is one class B operation for each distinct config, once", async () => {
    const config = await pushConfig({ a: freshWord() });
    const first = await put("v1", await makeImage([config]));
    const second = await put("v2", await makeImage([config], { annotations: { b: "c" } }));
    expect([first.usage.classB, second.usage.classB]).toEqual([1, 0]);
  });

  it("is nothing where no tag moves", async () => {
    const image = await makeImage([await pushConfig({ a: freshWord() })]);
    const untagged = await put(image.digest, image);
    await put("v1", image);
    const again = await put("v1", image);
    for (const { usage } of [untagged, again]) expect([usage.classB, usage.roundTrips]).toEqual([0, 1]);
  });

  it("writes no index where the same is said as before", async () => {
    const said = { [`${IMAGE}title`]: freshWord() };
    await pushSaying("v1", said);
    const other = await put("v2", await makeImage([await pushConfig(said)]));
    const changed = await put("v3", await makeImage([await pushConfig({ ...said, more: freshWord() })]));
    // The row, and the index.
    expect(changed.usage.rowsWritten - other.usage.rowsWritten).toBe(2);
  });
});

describe("readmes and descriptions", () => {
  it("are found, as they are set and go", async () => {
    const word = freshWord();
    await pushSaying("v1", {});
    for (const readme of [`# About ${word}`, "# Other", `${word} again`, ""]) {
      await answerOf(await callApi("PUT", "readme", { repository, readme }));
      expect(await namesFound(word)).toEqual(readme.includes(word) ? [repository] : []);
    }
    await answerOf(await callApi("PUT", "readme", { repository, readme: word }));
    await answerOf(await setRepository(repository, { description: `short ${word}` }));
    await expectStatus(await send("DELETE", `/api/repositories/${repository}`), 204);
    expect(await namesFound(word)).toEqual([]);
  });
});
