import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { answerOf, callApi, readPages } from "../support/api.ts";
import { CountedRegistry } from "../support/counted-registry.ts";
import {
  type Descriptor,
  image,
  index,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  pushBlob,
  pushImage,
  pushManifest,
  serialise,
} from "../support/images.ts";
import { expectError, expectStatus, freshRepository, sendWith } from "../support/registry.ts";
import { rows } from "../support/uploads.ts";

interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly digest: string;
  readonly size: number;
}

interface Tag {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly kind: string;
  readonly platforms: Platform[];
  readonly size: number;
  readonly updatedAt: string;
  readonly pushedAt: string;
  readonly pushedBy: string;
  readonly pulledAt: string | null;
  readonly expiresAt: string | null;
  readonly immutable: boolean;
}

interface Answer {
  readonly tags: Tag[];
  readonly total: number;
}

const list = async (repository: string, query = "") =>
  await answerOf<Answer>(await callApi("GET", `tags?repository=${repository}${query}`));

const tagsOf = async (repository: string) =>
  Object.fromEntries((await list(repository)).tags.map((tag) => [tag.name, tag]));

/** A config of its own, which states these properties. */
async function pushConfig(repository: string, properties: object, mediaType = OCI_CONFIG): Promise<Descriptor> {
  return await pushBlob(repository, JSON.stringify({ ...properties, id: crypto.randomUUID() }), { mediaType });
}

async function pushPlatform(repository: string, platform: object, tag?: string) {
  const config = await pushConfig(repository, platform);
  const layer = await pushBlob(repository, crypto.randomUUID());
  const manifest = await pushManifest(repository, image(config, [layer]), tag === undefined ? {} : { tag });
  return { ...manifest, platform, pulled: manifest.size + config.size + layer.size };
}

const AMD64 = { os: "linux", architecture: "amd64" };
const ARM = { os: "linux", architecture: "arm", variant: "v7" };
const UNKNOWN = { os: "unknown", architecture: "unknown" };

describe("a tag in the list", () => {
  it("shows what it names, who pushed that when, and what is pulled with it", async () => {
    const repository = freshRepository();
    const pushed = await pushPlatform(repository, AMD64, "v1");
    const { tags, total } = await list(repository);
    const [tag] = tags;
    expect(total).toBe(1);
    expect(tag).toEqual({
      ...{ name: "v1", digest: pushed.digest, mediaType: pushed.mediaType, artifactType: null, kind: "image" },
      platforms: [{ ...AMD64, digest: pushed.digest, size: pushed.pulled }],
      ...{ size: pushed.pulled, pushedBy: "account:admin", pulledAt: null, expiresAt: null, immutable: false },
      ...{ updatedAt: expect.any(String) as string, pushedAt: expect.any(String) as string },
    });
    expect(Math.abs(Date.parse(tag!.pushedAt) - Date.now())).toBeLessThan(600_000);
    expect(Object.keys(tag!)).not.toContain("config");
  });

  it("shows the platforms of an index, with what is pulled for each, and no attestations", async () => {
    const repository = freshRepository();
    const [one, other, attestation] = [
      await pushPlatform(repository, AMD64),
      await pushPlatform(repository, ARM),
      await pushPlatform(repository, UNKNOWN),
    ];
    const children = [one, other, attestation].map(({ mediaType, digest, size, platform }) => ({
      ...{ mediaType, digest, size, platform },
    }));
    const { digest, size } = await pushManifest(repository, index(children), { tag: "all" });
    const { all } = await tagsOf(repository);
    expect(all).toMatchObject({ kind: "index", mediaType: OCI_INDEX, digest, artifactType: null });
    expect(all!.platforms).toEqual([
      { ...AMD64, digest: one.digest, size: one.pulled },
      { ...ARM, digest: other.digest, size: other.pulled },
    ]);
    expect(all!.size).toBe(size + one.pulled + other.pulled + attestation.pulled);
  });

  it("shows of an index of indexes, and of one that lists a child twice, what is pulled with it once", async () => {
    const repository = freshRepository();
    const child = await pushPlatform(repository, AMD64);
    const inner = await pushManifest(repository, index([child, child]));
    const outer = await pushManifest(repository, index([inner]), { tag: "outer" });
    expect((await tagsOf(repository)).outer!.size).toBe(outer.size + inner.size + child.pulled);
  });

  it("shows of an index that came before its children what was there, and all of it once it is pushed again", async () => {
    const repository = freshRepository();
    const { pulled, ...child } = await pushPlatform(freshRepository(), AMD64);
    const bytes = serialise(index([child]));
    const size = async () => (await tagsOf(repository)).all!.size;
    const sparse = async () =>
      await expectStatus(
        await sendWith({ SPARSE_MANIFESTS: "all" }, "PUT", `/v2/${repository}/manifests/all`, {
          headers: { "Content-Type": OCI_INDEX },
          body: bytes,
        }),
        201,
      );
    await sparse();
    expect(await size()).toBe(bytes.byteLength + child.size);
    await rows(
      `INSERT INTO manifests (repository_id, digest, media_type, size, bytes, pushed_at, pushed_by, content_size)
       SELECT (SELECT id FROM repositories WHERE name = ?1), digest, media_type, size, bytes, 0, 'x', content_size
       FROM manifests WHERE digest = ?2`,
      ...[repository, child.digest],
    );
    await sparse();
    expect(await size()).toBe(bytes.byteLength + pulled);
  });

  it.each<[string, object, string | null]>([
    ["an artifact by its type", { artifactType: "application/vnd.example+json" }, "application/vnd.example+json"],
    ["an artifact by the type of its config", {}, "application/vnd.cncf.helm.config.v1+json"],
  ])("shows %s, which has no platform", async (_what, more, artifactType) => {
    const repository = freshRepository();
    const mediaType = artifactType ?? OCI_CONFIG;
    const config = await pushConfig(repository, AMD64, mediaType);
    await pushManifest(repository, image(config, [], more), { tag: "v1" });
    expect((await tagsOf(repository)).v1).toMatchObject({ kind: "artifact", artifactType, platforms: [] });
  });

  it.each<[string, unknown, object[]]>([
    ["a variant", ARM, [ARM]],
    ["nothing", {}, []],
    ["an operating system alone", { os: "linux" }, []],
    ["numbers", { os: 1, architecture: 2 }, []],
    ["a variant that is none", { ...AMD64, variant: 7 }, [AMD64]],
    ["words of no length that a word has", { os: "x".repeat(65), architecture: "amd64" }, []],
    ["that it is unknown", UNKNOWN, []],
    ["no object", "[1]", []],
    ["no JSON", "{", []],
  ])("shows of an image whose config states %s what can be made of it", async (_what, config, expected) => {
    const repository = freshRepository();
    const text = typeof config === "string" ? `${config} ` : JSON.stringify(config);
    const blob = await pushBlob(repository, text + " ".repeat(Math.ceil(Math.random() * 500)), {
      mediaType: OCI_CONFIG,
    });
    const { digest } = await pushManifest(repository, image(blob), { tag: "v1" });
    for (let time = 0; time < 2; time += 1) {
      const { platforms } = (await tagsOf(repository)).v1!;
      expect(platforms).toMatchObject(expected.map((platform) => ({ ...platform, digest })));
      expect(platforms).toHaveLength(expected.length);
    }
  });

  it("does not keep others from being listed where an index has descriptors that are none", async () => {
    const repository = freshRepository();
    const { mediaType, digest, size } = await pushPlatform(repository, AMD64, "v1");
    const odd = ["linux", { os: 1, architecture: [] }, null].map((platform) => ({ mediaType, digest, size, platform }));
    await pushManifest(repository, index(odd), { tag: "odd" });
    const deep = `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[],"x":${"[".repeat(1_500)}${"]".repeat(1_500)}}`;
    await pushManifest(repository, index([]), { tag: "empty" });
    await rows(
      "UPDATE manifests SET bytes = ?2 WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND media_type = ?3 AND size < 100",
      ...[repository, deep, OCI_INDEX],
    );
    const tags = await tagsOf(repository);
    expect([tags.odd!.platforms, tags.empty!.platforms, tags.v1!.platforms.length]).toEqual([[], [], 1]);
  });

  it("shows when it was pulled, when it ends, and whether it stays", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1", more: { annotations: { "expires-after": "1h" } } });
    await rows(
      "UPDATE manifests SET pulled_at = 5000 WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)",
      repository,
    );
    await answerOf(await callApi("PATCH", `repositories/${repository}`, { immutableTags: true }));
    const { v1 } = await tagsOf(repository);
    expect(v1).toMatchObject({ pulledAt: "1970-01-01T00:00:05.000Z", immutable: true });
    expect(Date.parse(v1!.expiresAt!)).toBeGreaterThan(Date.now());
  });
});

/** As what was pushed before configs were noted at pushes. */
async function forgetConfigs(repository: string): Promise<void> {
  const of = "(SELECT id FROM repositories WHERE name = ?1)";
  await vi.waitUntil(
    async () =>
      (await rows(`SELECT 1 FROM repositories_to_index WHERE repository_id = ${of}`, repository)).length === 0,
  );
  await rows(
    `UPDATE blobs SET platform = NULL, labels = NULL
     WHERE digest IN (SELECT digest FROM repository_blobs WHERE repository_id = ${of})`,
    repository,
  );
}

describe("the platforms of images", () => {
  const registry = new CountedRegistry();

  it("are read from the bucket once, of each config, noted in one query, and then told in one", async () => {
    const repository = freshRepository();
    for (const tag of ["a", "b", "c"]) await pushPlatform(repository, AMD64, tag);
    await forgetConfigs(repository);
    const path = `/api/tags?repository=${repository}`;
    const costs = [];
    for (let time = 0; time < 2; time += 1) {
      const { status, usage } = await registry.send("GET", path);
      expect(status).toBe(200);
      costs.push([usage.classA, usage.classB, usage.roundTrips]);
    }
    expect(costs).toEqual([
      [0, 3, 2],
      [0, 0, 1],
    ]);
  });

  it("are left out where the bucket has lost a config, and asked for again", async () => {
    const repository = freshRepository();
    const { digest } = await pushPlatform(repository, AMD64, "v1");
    const [{ object_key: key } = { object_key: "" }] = await rows<{ object_key: string }>(
      `SELECT b.object_key FROM manifest_references mr JOIN blobs b ON b.digest = mr.digest
       WHERE mr.manifest_digest = ?1 AND mr.role = 'config'`,
      digest,
    );
    await forgetConfigs(repository);
    const bytes = await (await env.BUCKET.get(key))!.arrayBuffer();
    await env.BUCKET.delete(key);
    expect((await tagsOf(repository)).v1!.platforms).toEqual([]);
    await env.BUCKET.put(key, bytes);
    expect((await tagsOf(repository)).v1!.platforms).toHaveLength(1);
  });
});

describe("the list of tags", () => {
  const repository = freshRepository();
  const NAMES = ["b", "A", "c", "B", "a10", "a2"];
  const prepared = (async () => {
    for (const [place, tag] of NAMES.entries()) {
      const config = await pushConfig(repository, {});
      const layer = await pushBlob(repository, "x".repeat(1_000 * (NAMES.length - place)));
      await pushManifest(repository, image(config, [layer]), { tag });
      await rows(
        "UPDATE tags SET updated_at = ?3 WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND name = ?2",
        ...[repository, tag, 1_000 * Math.ceil(place / 2)],
      );
    }
  })();

  it.each([
    ["", "A a10 a2 B b c"],
    ["&order=desc", "c b B a2 a10 A"],
    ["&sort=updated", "a2 a10 B c A b"],
    ["&sort=updated&order=asc", "b A c B a10 a2"],
    ["&sort=size", "b A c B a10 a2"],
    ["&sort=size&order=asc", "a2 a10 B c A b"],
    ["&q=A", "A a10 a2"],
    ["&q=0", "a10"],
    ["&q=a&sort=size", "A a10 a2"],
    ["&q=%25", ""],
  ])("with '%s' is %s, in pages of any size", async (query, expected) => {
    await prepared;
    const names = expected.split(" ").filter((name) => name !== "");
    for (const n of [1, 2, 5, 100]) {
      const pages = await readPages<Tag>(`tags?repository=${repository}${query}&n=${n}`, "tags");
      expect([n, pages.flat().map(({ name }) => name)]).toEqual([n, names]);
      expect(pages.every((page) => page.length <= n)).toBe(true);
    }
    expect((await list(repository, `${query}&n=1`)).total).toBe(names.length);
  });

  it("is of 100 tags at most, whatever is asked for", async () => {
    const large = freshRepository();
    const { digest } = await pushImage(large, { tag: "t000" });
    const tags = Array.from({ length: 100 }, (_, place) => `t${String(place + 1).padStart(3, "0")}`);
    await rows(
      `INSERT INTO tags (repository_id, name, digest, updated_at)
       SELECT (SELECT id FROM repositories WHERE name = ?1), value, ?2, 0 FROM json_each(?3)`,
      ...[large, digest, JSON.stringify(tags)],
    );
    const pages = await readPages<Tag>(`tags?repository=${large}&n=1000`, "tags");
    expect(pages.map((page) => page.length)).toEqual([100, 1]);
  });

  it("is not there where the repository is not", async () => {
    await expectError(await callApi("GET", `tags?repository=${freshRepository()}`), 404, "NAME_UNKNOWN");
  });

  it.each(["sort=pushed", "order=down", "q=a&q=b"])("refuses %s", async (query) => {
    await expectError(await callApi("GET", `tags?repository=${repository}&${query}`), 400, "REQUEST_INVALID");
  });

  it("refuses a last of another order", async () => {
    const query = `repository=${repository}&sort=size&last=v1`;
    await expectError(await callApi("GET", `tags?${query}`), 400, "PAGINATION_NUMBER_INVALID");
  });
});

describe("sizes that a descriptor only states", () => {
  const FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
  const foreign = (size: number) => ({ mediaType: FOREIGN, digest: `sha256:${"0".repeat(64)}`, size });

  it("as large as numbers get neither fail a push nor end a list", async () => {
    const repository = freshRepository();
    for (const [tag, size] of [
      ["a", Number.MAX_SAFE_INTEGER],
      ["b", Number.MAX_SAFE_INTEGER],
      ["c", 1],
    ] as const) {
      await pushImage(repository, { tag, more: { layers: [foreign(size)], annotations: { tag } } });
    }
    const pages = await readPages<Tag>(`tags?repository=${repository}&sort=size&n=1`, "tags");
    expect(pages.flat().map(({ name }) => name)).toEqual(["b", "a", "c"]);
  });
});

it("the config of another repository says nothing here", async () => {
  const [own, other] = [freshRepository(), freshRepository()];
  const config = await pushBlob(other, JSON.stringify({ os: "linux", architecture: crypto.randomUUID() }), {
    mediaType: OCI_CONFIG,
  });
  await pushManifest(other, image(config, []), { tag: "v1" });
  expect((await list(other)).tags[0]!.platforms).toHaveLength(1);
  const bytes = serialise(image(config, []));
  const sent = { headers: { "Content-Type": OCI_MANIFEST }, body: bytes };
  await expectStatus(await sendWith({ SPARSE_MANIFESTS: "all" }, "PUT", `/v2/${own}/manifests/v1`, sent), 201);
  expect((await list(own)).tags[0]!.platforms).toEqual([]);
});
