import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { collectDue } from "../../src/lifecycle/collection.ts";
import { answerOf, callApi } from "../support/api.ts";
import { contextAt } from "../support/context.ts";
import { emptyStorage } from "../support/empty-storage.ts";
import { type Descriptor, image, index, pushBlob, pushManifest } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, send } from "../support/registry.ts";
import { rows } from "../support/uploads.ts";

// The garbage of other files would be collected as well, time and again.
beforeAll(emptyStorage);

interface Preview {
  readonly tags: string[];
  readonly manifests: number;
  readonly bytes: number;
}

const ask = async (repository: string, target: object) =>
  await callApi("GET", `tags/deletion?${new URLSearchParams({ repository, ...target }).toString()}`);
const preview = async (repository: string, target: object) => await answerOf<Preview>(await ask(repository, target));

/** Manifests, and bytes of these and of blobs, that the repositories below a prefix hold. */
async function held(prefix: string): Promise<{ manifests: number; bytes: number }> {
  const [of, below] = ["(SELECT id FROM repositories WHERE name GLOB ?1 || '*')", prefix];
  const [sum] = await rows<{ manifests: number; bytes: number }>(
    `SELECT COUNT(*) FILTER (WHERE kind = 'm') AS manifests, COALESCE(SUM(size), 0) AS bytes FROM (
       SELECT 'm' AS kind, size FROM manifests WHERE repository_id IN ${of}
       UNION ALL
       SELECT 'b', size FROM blobs WHERE digest IN (SELECT digest FROM repository_blobs WHERE repository_id IN ${of}))`,
    below,
  );
  return sum!;
}

const remove = async (repository: string, reference: string) =>
  await expectStatus(await send("DELETE", `/v2/${repository}/manifests/${reference}`), 202);

/** More than anything waits for collection. */
const MONTH_HOURS = 31 * 24;

/** Lets collection take all that it takes in the end, a month passing between two runs. */
async function settle(): Promise<void> {
  for (let month = 1; month < 20; month += 1) {
    const { outcome } = await collectDue(contextAt(month * MONTH_HOURS));
    if (Object.values(outcome).every((count) => count === 0)) return;
  }
  throw new Error("collection never ends");
}

/** Deletes what a preview was of, and tells what went in the end. */
async function really(prefix: string, repository: string, reference: string) {
  const before = await held(prefix);
  await remove(repository, reference);
  await settle();
  const after = await held(prefix);
  return { manifests: before.manifests - after.manifests, bytes: before.bytes - after.bytes };
}

/** A scene of two repositories, whose blobs are known by a letter, and have a size of their own. */
class Scene {
  readonly prefix = freshRepository();
  readonly here = `${this.prefix}/here`;
  readonly there = `${this.prefix}/there`;
  readonly #salt = crypto.randomUUID();
  #count = 0;

  async push(
    letters: string,
    more: { tag?: string; repository?: string; subject?: Descriptor } = {},
  ): Promise<Descriptor> {
    const { tag, repository = this.here, subject } = more;
    const blobs = [];
    for (const letter of letters) {
      blobs.push(await pushBlob(repository, this.contentOf(letter)));
    }
    const [config, ...layers] = blobs;
    const manifest = image(config!, layers, {
      ...(subject && { subject }),
      annotations: { n: String((this.#count += 1)) },
    });
    return await pushManifest(repository, manifest, tag === undefined ? {} : { tag });
  }

  contentOf(letter: string): string {
    return `${this.#salt} ${letter} ${"x".repeat(10 ** (letter.charCodeAt(0) - 96))}`;
  }

  async list(children: readonly Descriptor[], tag?: string): Promise<Descriptor> {
    const manifest = index(children, { annotations: { n: String((this.#count += 1)) } });
    return await pushManifest(this.here, manifest, tag === undefined ? {} : { tag });
  }
}

/** Makes a scene, and says what is to be deleted in it. */
type Case = (scene: Scene) => Promise<string>;

const CASES: readonly (readonly [what: string, tags: string[], make: Case])[] = [
  ["the only tag of an image", ["one"], async (scene) => (await scene.push("ab", { tag: "one" }), "one")],
  [
    "one of two tags of an image",
    ["one"],
    async (scene) => {
      const { digest } = await scene.push("ab", { tag: "one" });
      await expectStatus(
        await callApi("POST", "tags/release", { releases: [{ repository: scene.here, tag: "two", digest }] }),
        200,
      );
      return "one";
    },
  ],
  [
    "an image by its digest, with its tags",
    ["one", "two"],
    async (scene) => {
      const { digest } = await scene.push("ab", { tag: "one" });
      await expectStatus(
        await callApi("POST", "tags/release", { releases: [{ repository: scene.here, tag: "two", digest }] }),
        200,
      );
      return digest;
    },
  ],
  [
    "an image that shares a layer with another",
    ["one"],
    async (scene) => (await scene.push("abc", { tag: "one" }), await scene.push("cd", { tag: "two" }), "one"),
  ],
  [
    "an image whose layers another repository needs",
    ["one"],
    async (scene) => (
      await scene.push("ab", { tag: "one" }),
      await scene.push("bc", { tag: "x", repository: scene.there }),
      "one"
    ),
  ],
  [
    "an image whose layer another repository was given, and nothing there needs",
    ["one"],
    async (scene) => {
      const { digest } = await scene.push("ab", { tag: "one" });
      const [blob] = await rows<{ digest: string }>(
        "SELECT digest FROM manifest_references WHERE manifest_digest = ?1 AND position = 1",
        digest,
      );
      const mount = `mount=${blob!.digest}&from=${scene.here}`;
      await expectStatus(await send("POST", `/v2/${scene.there}/blobs/uploads/?${mount}`), 201);
      return "one";
    },
  ],
  [
    "an index with its children",
    ["all"],
    async (scene) => (await scene.list([await scene.push("ab"), await scene.push("bc")], "all"), "all"),
  ],
  [
    "an index, one of whose children has a tag",
    ["all"],
    async (scene) => (await scene.list([await scene.push("ab"), await scene.push("bc", { tag: "one" })], "all"), "all"),
  ],
  [
    "an index, one of whose children another index lists",
    ["all"],
    async (scene) => {
      const shared = await scene.push("ab");
      await scene.list([shared, await scene.push("bc")], "all");
      await scene.list([shared], "other");
      return "all";
    },
  ],
  [
    "the tag of an image that an index lists",
    ["one"],
    async (scene) => (await scene.list([await scene.push("ab", { tag: "one" })], "all"), "one"),
  ],
  [
    "an image with its referrers, and theirs",
    ["one"],
    async (scene) => {
      const subject = await scene.push("ab", { tag: "one" });
      const sbom = await scene.push("c", { subject });
      await scene.push("d", { subject: sbom });
      return "one";
    },
  ],
  [
    "an image with a referrer that has a tag",
    ["one"],
    async (scene) => (
      await scene.push("bc", { subject: await scene.push("ab", { tag: "one" }), tag: "signed" }),
      "one"
    ),
  ],
  [
    "the tag of a referrer",
    ["signed"],
    async (scene) => (
      await scene.push("bc", { subject: await scene.push("ab", { tag: "one" }), tag: "signed" }),
      "signed"
    ),
  ],
  [
    "a referrer by its digest",
    [],
    async (scene) => (await scene.push("bc", { subject: await scene.push("ab", { tag: "one" }) })).digest,
  ],
];

describe("what goes with", () => {
  it.each(CASES)("%s is told, and it is what goes", async (_what, tags, make) => {
    const scene = new Scene();
    const reference = await make(scene);
    const target = reference.includes(":") ? { digest: reference } : { tag: reference };
    const told = await preview(scene.here, target);
    // It is a question: nothing has changed.
    expect(await preview(scene.here, target)).toEqual(told);
    const { manifests, bytes } = await really(scene.prefix, scene.here, reference);
    expect(told).toEqual({ tags, manifests, bytes });
  });

  it("a tag, of what only those on their way out need too", async () => {
    const scene = new Scene();
    const old = await scene.push("ab", { tag: "latest" });
    const alone = old.size + scene.contentOf("a").length;
    await scene.push("bc", { tag: "latest" });
    const { bytes: stored } = await held(scene.prefix);
    expect(await preview(scene.here, { tag: "latest" })).toEqual({
      tags: ["latest"],
      manifests: 1,
      bytes: stored - alone,
    });
    await remove(scene.here, "latest");
    await settle();
    expect(await held(scene.prefix)).toEqual({ manifests: 0, bytes: 0 });
  });

  it("an index that lists an image is not told: the image cannot be deleted before it", async () => {
    const scene = new Scene();
    const child = await scene.push("ab", { tag: "one" });
    const all = await scene.list([child], "all");
    const { message } = await expectError(await ask(scene.here, { digest: child.digest }), 405, "UNSUPPORTED");
    expect(message).toContain(all.digest);
  });

  it.each([
    ["nothing", {}, 400, "REQUEST_INVALID"],
    ["two things", { tag: "a", digest: `sha256:${"0".repeat(64)}` }, 400, "REQUEST_INVALID"],
    ["no tag", { tag: "a/b" }, 400, "REQUEST_INVALID"],
    ["a tag that is not there", { tag: "nowhere" }, 404, "MANIFEST_UNKNOWN"],
    ["a digest that is not there", { digest: `sha256:${"0".repeat(64)}` }, 404, "MANIFEST_UNKNOWN"],
  ])("%s is refused", async (_what, target, status, code) => {
    const scene = new Scene();
    await scene.push("a", { tag: "one" });
    await expectError(await ask(scene.here, target), status, code);
  });

  it("a repository that is not there is refused", async () => {
    await expectError(await ask(freshRepository(), { tag: "one" }), 404, "NAME_UNKNOWN");
  });

  it("what was deleted already is refused", async () => {
    const scene = new Scene();
    const { digest } = await scene.push("a", { tag: "one" });
    await remove(scene.here, digest);
    await expectError(await ask(scene.here, { digest }), 404, "MANIFEST_UNKNOWN");
  });

  it("anything, in whatever repository that collection has left alone, is what goes", async () => {
    const step = fc.record({
      kind: fc.constantFrom("image", "index", "referrer"),
      letters: fc.constantFrom("ab", "bc", "cd"),
      tag: fc.option(fc.constantFrom("one", "two", "three"), { nil: undefined }),
      of: fc.nat(),
      isThere: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 7 }), fc.nat(), async (steps, chosen) => {
        const scene = new Scene();
        const pushed: Descriptor[] = [];
        for (const { kind, letters, tag, of, isThere } of steps) {
          const other = pushed[of % Math.max(pushed.length, 1)];
          const more = { ...(tag !== undefined && { tag }) };
          if (kind === "index" && other) pushed.push(await scene.list([other], tag));
          else if (kind === "referrer" && other) pushed.push(await scene.push(letters, { ...more, subject: other }));
          else if (isThere) await scene.push(letters, { repository: scene.there, tag: "x" });
          else pushed.push(await scene.push(letters, more));
        }
        await settle();
        const tags = await rows<{ name: string }>(
          "SELECT name FROM tags WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)",
          scene.here,
        );
        const references = [...tags.map(({ name }) => name), ...pushed.map(({ digest }) => digest)];
        const reference = references[chosen % references.length] ?? "none";
        const response = await ask(scene.here, reference.includes(":") ? { digest: reference } : { tag: reference });
        // It is not there any more, or an index lists it.
        if (response.status !== 200) return;
        const { manifests, bytes } = await answerOf<Preview>(response);
        expect(await really(scene.prefix, scene.here, reference)).toEqual({ manifests, bytes });
      }),
      { numRuns: 8 },
    );
  });
});
