import fc from "fast-check";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { claimMirror } from "../../src/metadata/mirrored.ts";
import { readUsage } from "../../src/metadata/usage.ts";
import { parseRepositoryName } from "../../src/oci/repository-name.ts";
import { callApi } from "../support/api.ts";
import { collectAll } from "../support/aging.ts";
import { digestOf } from "../support/content.ts";
import { image, index, OCI_INDEX, OCI_MANIFEST, putManifest, serialise } from "../support/images.ts";
import { freshRepository, send } from "../support/registry.ts";
import { rows } from "../support/uploads.ts";

/** What triggers have counted of a repository, or what its rows sum up to. */
interface Counts {
  readonly name: string;
  readonly tags: number;
  readonly manifests: number;
  readonly size: number;
  readonly uniqueSize: number;
}

const COUNTED = `SELECT name, tag_count AS tags, manifest_count AS manifests, size, unique_size AS uniqueSize FROM repositories`;

const BLOBS_OF = "FROM repository_blobs rb JOIN blobs b ON b.digest = rb.digest WHERE rb.repository_id = r.id";
const MANIFEST_BYTES = "(SELECT COALESCE(SUM(size), 0) FROM manifests WHERE repository_id = r.id)";
const SUMMED = `
  SELECT r.name, (SELECT COUNT(*) FROM tags t WHERE t.repository_id = r.id) AS tags,
    (SELECT COUNT(*) FROM manifests m WHERE m.repository_id = r.id AND m.deleted_at IS NULL) AS manifests,
    ${MANIFEST_BYTES} + (SELECT COALESCE(SUM(b.size), 0) ${BLOBS_OF}) AS size,
    ${MANIFEST_BYTES} + (SELECT COALESCE(SUM(b.size), 0) ${BLOBS_OF} AND NOT EXISTS (
      SELECT 1 FROM repository_blobs o WHERE o.digest = b.digest AND o.repository_id <> r.id)) AS uniqueSize
  FROM repositories r`;

/** Whatever an operation answers, the counts are right after it. */
async function expectRight(prefix: string): Promise<void> {
  const where = "WHERE name GLOB ?1 || '*' ORDER BY name";
  expect(await rows<Counts>(`${COUNTED} ${where}`, prefix)).toEqual(
    await rows<Counts>(`SELECT * FROM (${SUMMED}) ${where}`, prefix),
  );
}

const LINKED_BY =
  "SELECT 1 FROM repository_blobs rb JOIN repositories r ON r.id = rb.repository_id WHERE rb.digest = b.digest";
const MIRRORED = `
  SELECT COALESCE(SUM(size), 0) AS bytes FROM (
    SELECT b.size FROM blobs b
    WHERE EXISTS (${LINKED_BY} AND r.upstream IS NOT NULL) AND NOT EXISTS (${LINKED_BY} AND r.upstream IS NULL)
    UNION ALL
    SELECT m.size FROM manifests m JOIN repositories r ON r.id = m.repository_id
    WHERE m.object_key IS NOT NULL AND r.upstream IS NOT NULL)`;

/** Of all repositories, these of other tests included. */
async function expectMirroredBytesRight(): Promise<void> {
  const [summed] = await rows<{ bytes: number }>(MIRRORED);
  expect((await readUsage(env.DB)).mirroredBytes).toBe(summed!.bytes);
}

/** A small world: a few blobs, images and tags, so that histories meet in them. */
interface World {
  readonly repositories: readonly string[];
  readonly blobs: readonly string[];
}

type Operation = (world: World) => Promise<unknown>;

const BLOBS = [0, 1, 2];
const repositoryOf = fc.constantFrom(0, 1, 2);
const blobOf = fc.constantFrom(...BLOBS);
const tagOf = fc.constantFrom("one", "two");
const imageOf = fc.constantFrom([0, 1], [1, 2]);

const descriptorOf = async (content: string) => ({
  mediaType: "application/octet-stream",
  digest: await digestOf(content),
  size: content.length,
});

async function makeImage({ blobs }: World, chosen: readonly number[]) {
  const [config, ...layers] = await Promise.all(chosen.map(async (each) => await descriptorOf(blobs[each]!)));
  return serialise(image(config!, layers));
}

async function toDescriptor(bytes: Uint8Array) {
  return { mediaType: OCI_MANIFEST, digest: await digestOf(bytes), size: bytes.byteLength };
}

const uploadPath = (repository: string) => `/v2/${repository}/blobs/uploads/`;

/** What can happen; whether what it needs is there is left to chance. */
const DO = {
  pushBlob:
    (to: number, blob: number): Operation =>
    async ({ repositories, blobs }) => {
      const body = blobs[blob]!;
      await send("POST", `${uploadPath(repositories[to]!)}?digest=${await digestOf(body)}`, { body });
    },
  mount:
    (to: number, blob: number): Operation =>
    async ({ repositories, blobs }) => {
      const mount = `mount=${await digestOf(blobs[blob]!)}&from=${repositories[(to + 1) % repositories.length]!}`;
      await send("POST", `${uploadPath(repositories[to]!)}?${mount}`);
    },
  pushImage:
    (to: number, chosen: readonly number[], tag: string): Operation =>
    async (world) => {
      for (const blob of chosen) await DO.pushBlob(to, blob)(world);
      await putManifest(world.repositories[to]!, tag, await makeImage(world, chosen));
    },
  pushIndex:
    (to: number, chosen: readonly number[], tag: string): Operation =>
    async (world) => {
      const child = await toDescriptor(await makeImage(world, chosen));
      await putManifest(world.repositories[to]!, tag, index([child]), OCI_INDEX);
    },
  deleteTag:
    (to: number, tag: string): Operation =>
    async ({ repositories }) =>
      await send("DELETE", `/v2/${repositories[to]!}/manifests/${tag}`),
  deleteImage:
    (to: number, chosen: readonly number[]): Operation =>
    async (world) => {
      const { digest } = await toDescriptor(await makeImage(world, chosen));
      await send("DELETE", `/v2/${world.repositories[to]!}/manifests/${digest}`);
    },
  deleteBlob:
    (to: number, blob: number): Operation =>
    async ({ repositories, blobs }) =>
      await send("DELETE", `/v2/${repositories[to]!}/blobs/${await digestOf(blobs[blob]!)}`),
  restore:
    (to: number, tag: string): Operation =>
    async ({ repositories }) =>
      await callApi("POST", "tags/restore", { repository: repositories[to], tag }),
  collect:
    (to: number): Operation =>
    async ({ repositories }) =>
      await collectAll(repositories[to]!),
  /** Two of them mirror, unless they are there already as our own. */
  mirror:
    (to: number): Operation =>
    async ({ repositories }) => {
      if (to > 0) await claimMirror(env.DB, parseRepositoryName(repositories[to]!), "up.test", Date.now());
    },
  deleteAll:
    (to: number): Operation =>
    async ({ repositories }) =>
      await callApi("DELETE", `repositories/${repositories[to]!}`),
};

const OPERATIONS = fc.oneof<fc.Arbitrary<Operation>[]>(
  fc.tuple(repositoryOf, blobOf).map((its) => DO.pushBlob(...its)),
  fc.tuple(repositoryOf, blobOf).map((its) => DO.mount(...its)),
  fc.tuple(repositoryOf, imageOf, tagOf).map((its) => DO.pushImage(...its)),
  fc.tuple(repositoryOf, imageOf, tagOf).map((its) => DO.pushIndex(...its)),
  fc.tuple(repositoryOf, tagOf).map((its) => DO.deleteTag(...its)),
  fc.tuple(repositoryOf, imageOf).map((its) => DO.deleteImage(...its)),
  fc.tuple(repositoryOf, blobOf).map((its) => DO.deleteBlob(...its)),
  fc.tuple(repositoryOf, tagOf).map((its) => DO.restore(...its)),
  repositoryOf.map(DO.collect),
  repositoryOf.map(DO.mirror),
  repositoryOf.map(DO.deleteAll),
);

/** What chance meets too seldom. */
const EXAMPLES: [Operation[]][] = [
  [[DO.pushImage(0, [0, 1], "one"), DO.mount(1, 0), DO.deleteImage(0, [0, 1]), DO.collect(0), DO.deleteAll(1)]],
  [
    [
      DO.pushImage(0, [0, 1], "one"),
      DO.deleteImage(0, [0, 1]),
      DO.restore(0, "one"),
      DO.deleteTag(0, "one"),
      DO.collect(0),
    ],
  ],
  [[DO.pushImage(0, [0, 1], "one"), DO.pushIndex(0, [0, 1], "two"), DO.deleteAll(0), DO.pushImage(0, [0, 1], "one")]],
  [[DO.mirror(1), DO.pushImage(1, [0, 1], "one"), DO.mount(0, 1), DO.mirror(2), DO.mount(2, 1), DO.deleteAll(0)]],
  [[DO.mirror(1), DO.pushImage(1, [1, 2], "one"), DO.deleteTag(1, "one"), DO.collect(1)]],
];

describe("what is counted of a repository", () => {
  it("is what its rows sum up to, after whatever happens", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(OPERATIONS, { minLength: 8, maxLength: 20 }), async (operations) => {
        const prefix = freshRepository();
        // Of sizes that no two sums of them share.
        const blobs = BLOBS.map((each) => `${crypto.randomUUID()}${"x".repeat(100 * 10 ** each)}`);
        const world = { repositories: [`${prefix}/a`, `${prefix}/b`, `${prefix}/c`], blobs };
        for (const operation of operations) {
          await operation(world);
          await expectRight(prefix);
          await expectMirroredBytesRight();
        }
      }),
      { numRuns: 12, examples: EXAMPLES },
    );
  });

  it("is so in every repository that tests have made so far", async () => {
    await expectRight("");
    await expectMirroredBytesRight();
  });
});
