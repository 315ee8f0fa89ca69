import { describe, expect, test } from "vitest";
import { addSignedIndex, Images, TYPES } from "../distribution/support/images.ts";
import {
  type Habits,
  type MemoryRegistry,
  startMemoryRegistry,
  USER,
} from "../distribution/support/memory-registry.ts";
import { run, type Surroundings } from "./support/run.ts";

const LISTED = { hasReferrers: true };

/** A registry to copy from, and one to copy to. */
async function startTwo(from: Habits = LISTED, to: Habits = LISTED): Promise<[MemoryRegistry, MemoryRegistry]> {
  return [await startMemoryRegistry(from), await startMemoryRegistry(to)];
}

async function copy(args: readonly string[], more: Surroundings = {}) {
  return await run(["copy", ...args], more);
}

/** Runs it with --json; the document. */
async function copyJson(args: readonly string[], more: Surroundings = {}) {
  const { stdout, stderr, code } = await copy([...args, "--json"], more);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout) as {
    images: { source: string; destination: string; status: string; digest: string }[];
    manifests: object;
    blobs: object;
    bytes: number;
  };
}

const holdings = (registry: MemoryRegistry, name: string) => {
  const { blobs, manifests, tags } = registry.repository(name);
  return { blobs: [...blobs.keys()].sort(), manifests: [...manifests].sort(), tags: [...tags].sort() };
};

describe("an image is copied", () => {
  test("with all platforms, and what refers to it, and to that, byte for byte", async () => {
    const [source, target] = await startTwo();
    const { index } = addSignedIndex(source, "team/web", "1");
    const outcome = await copyJson([`${source.host}/team/web:1`, `${target.host}/mirror/web`]);
    expect(outcome).toMatchObject({
      images: [{ status: "copied", digest: index.digest, destination: `${target.host}/mirror/web:1` }],
      manifests: { copied: 5, present: 0 },
    });
    expect(holdings(target, "mirror/web")).toEqual(holdings(source, "team/web"));
    expect(target.lines(/^PUT .*manifests/).at(-1)).toBe("PUT /v2/mirror/web/manifests/1");
  });

  test("by digest, without a tag, or under another name", async () => {
    const [source, target] = await startTwo();
    const { index } = addSignedIndex(source, "a", "1");
    await copyJson([`${source.host}/a@${index.digest}`, `${target.host}/b`]);
    expect(target.repository("b").tags.size).toBe(0);
    await copyJson([`${source.host}/a@${index.digest}`, `${target.host}/b:2`]);
    expect([...target.repository("b").tags]).toEqual([["2", index.digest]]);
  });

  test("alone with --no-referrers", async () => {
    const [source, target] = await startTwo();
    addSignedIndex(source, "a", "1");
    expect(await copyJson(["--no-referrers", `${source.host}/a:1`, `${target.host}/a`])).toMatchObject({
      manifests: { copied: 3 },
    });
  });

  test.each(["linux/arm64", "linux/arm64/v8"])("for one platform with --platform %s", async (platform) => {
    const [source, target] = await startTwo();
    const { arm64 } = addSignedIndex(source, "a", "1");
    for (const reference of [":1", `@${arm64.digest}`]) {
      await copyJson(["--platform", platform, `${source.host}/a${reference}`, `${target.host}/a:arm`]);
      expect([...target.repository("a").tags]).toEqual([["arm", arm64.digest]]);
      expect(target.repository("a").manifests.size).toBe(1);
    }
  });

  test("and its signatures are listed under a tag, where the registry lists none itself", async () => {
    const [source, target] = await startTwo(LISTED, {});
    const { index, signature, sbom } = addSignedIndex(source, "a", "1");
    const others = ["x", "y", "z"].map((layer) => new Images(source, "a").image([layer], { subject: index }));
    await copyJson([`${source.host}/a:1`, `${target.host}/a`]);
    const tagOf = (digest: string) => digest.replace(":", "-");
    expect([...target.repository("a").tags.keys()].sort()).toEqual(
      ["1", tagOf(index.digest), tagOf(signature.digest)].sort(),
    );

    // And back from there.
    const third = await startMemoryRegistry(LISTED);
    await copyJson([`${target.host}/a:1`, `${third.host}/a`]);
    expect([...third.repository("a").manifests.keys()]).toEqual(
      expect.arrayContaining([index, signature, sbom, ...others].map(({ digest }) => digest)),
    );
  });

  test("with cosign's tags, when they are asked for, and those of what they name", async () => {
    const [source, target] = await startTwo();
    const images = new Images(source, "a");
    const image = images.image(["base"], { tag: "1" });
    const signature = images.image(["signed"], { tag: `${image.digest.replace(":", "-")}.sig` });
    images.image(["sbom"], { tag: `${signature.digest.replace(":", "-")}.sbom` });
    images.image(["other"], { tag: `sha256-${"0".repeat(64)}.sig` });
    await copyJson([`${source.host}/a:1`, `${target.host}/plain`]);
    expect(target.repository("plain").tags.size).toBe(1);
    await copyJson(["--cosign", `${source.host}/a:1`, `${target.host}/signed`]);
    expect(target.repository("signed").tags.size).toBe(3);
  });

  test("even if BuildKit lists layers as manifests", async () => {
    const [source, target] = await startTwo();
    const images = new Images(source, "cache");
    images.index([images.blob("layer one"), images.blob("layer two")], "buildcache");
    expect(await copyJson([`${source.host}/cache:buildcache`, `${target.host}/cache`])).toMatchObject({
      manifests: { copied: 1 },
      blobs: { copied: 2 },
    });
  });

  test("without layers that are not distributed", async () => {
    const [source, target] = await startTwo();
    const images = new Images(source, "windows");
    const config = images.blob("{}", TYPES.config);
    const type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    const foreign = { mediaType: type, digest: `sha256:${"1".repeat(64)}`, size: 5 };
    images.manifest({ mediaType: TYPES.image, config, layers: [foreign] }, "1");
    // This registry does not know better than to want them all.
    target.repository("windows").blobs.set(foreign.digest, Buffer.from("hello"));
    await copyJson([`${source.host}/windows:1`, `${target.host}/windows`]);
    expect(source.lines(/blobs/)).toHaveLength(1);
  });
});

describe("several images are copied", () => {
  async function startWithTags() {
    const [source, target] = await startTwo();
    for (const tag of ["v1.0", "v1.1", "v2.0"]) new Images(source, "team/web").image(["base", tag], { tag });
    new Images(source, "team/api").image(["base", "api"], { tag: "latest" });
    return [source, target] as const;
  }
  const tagsOf = (registry: MemoryRegistry, name: string) => [...registry.repository(name).tags.keys()].sort();

  test("all tags", async () => {
    const [source, target] = await startWithTags();
    await copyJson(["--all-tags", `${source.host}/team/web`, `${target.host}/web`]);
    expect(holdings(target, "web")).toEqual(holdings(source, "team/web"));
  });

  test("tags of a pattern, and others beside them, into a folder of repositories", async () => {
    const [source, target] = await startWithTags();
    await copyJson([`${source.host}/team/web:v1.*`, `${source.host}/team/api`, `${target.host}/mirror/`]);
    expect(tagsOf(target, "mirror/team/web")).toEqual(["v1.0", "v1.1"]);
    expect(tagsOf(target, "mirror/team/api")).toEqual(["latest"]);
  });

  test("all repositories that a registry lists, or those below a prefix", async () => {
    const [source, target] = await startWithTags();
    source.repository("empty");
    await copyJson(["--all-tags", `${source.host}/`, `${target.host}/`]);
    for (const name of ["team/web", "team/api"]) expect(holdings(target, name)).toEqual(holdings(source, name));
    await copyJson(["--all-tags", `${source.host}/team/`, `${target.host}/b/`]);
    expect(tagsOf(target, "b/team/api")).toEqual(["latest"]);
    const { code, stderr } = await copy(["--all-tags", `${source.host}/other/`, `${target.host}/`]);
    expect(stderr).toContain("lists no repository below 'other/'");
    expect(code).toBe(1);
    source.fault = ({ line }) => (line.includes("_catalog") ? { status: 404 } : undefined);
    const { stderr: advice } = await copy(["--all-tags", `${source.host}/`, `${target.host}/`]);
    expect(advice).toContain("has no list of its repositories: name them one by one");
  });

  test("and one that cannot be is no hindrance to the others", async () => {
    const [source, target] = await startWithTags();
    const old = Buffer.from('{"schemaVersion":1}');
    source.repository("team/web").manifests.set("old", { type: "application/json", bytes: old });
    source.repository("team/web").tags.set("v0", "old");
    const { code, stdout, stderr } = await copy(["--all-tags", `${source.host}/team/web`, `${target.host}/web`]);
    expect(stderr).toMatch(/^stowage: 127\.0\.0\.1:\d+\/team\/web:v0 is of Docker's schema 1.*\n$/);
    expect(stdout.match(/copied|failed/g)?.sort()).toEqual(["copied", "copied", "copied", "failed"]);
    expect(code).toBe(1);
    expect(tagsOf(target, "web")).toEqual(["v1.0", "v1.1", "v2.0"]);
  });

  test("but a registry that is out of order ends them all", async () => {
    const [source, target] = await startWithTags();
    target.fault = ({ line }) => (line.startsWith("PUT") ? { status: 507 } : undefined);
    const { code, stderr } = await copy(["--all-tags", `${source.host}/team/web`, `${target.host}/web`, "--jobs", "1"]);
    expect(stderr).toMatch(/507 Insufficient Storage/);
    expect(code).toBe(1);
    expect(target.lines(/^PUT/)).toHaveLength(1);

    new Images(source, "large").image("a b c d e f g h".split(" "), { tag: "latest" });
    target.requests.length = 0;
    await copy([`${source.host}/large`, `${target.host}/large`, "--jobs", "2"]);
    expect(target.lines(/^PUT/).length).toBeLessThan(4);
  });
});

describe("what is there is not sent again", () => {
  test("nor asked for", async () => {
    const [source, target] = await startTwo();
    addSignedIndex(source, "a", "1");
    const names = [`${source.host}/a:1`, `${target.host}/a`];
    await copyJson(names);
    target.requests.length = 0;
    const again = await copyJson(names);
    expect(again).toMatchObject({ images: [{ status: "present" }], manifests: { copied: 0, present: 5 }, bytes: 0 });
    expect(target.lines(/^(?!HEAD|GET)/)).toEqual([]);
    expect(target.lines(/blobs/)).toEqual([]);
  });

  test("when a run broke off, the next one goes on", async () => {
    const [source, target] = await startTwo();
    addSignedIndex(source, "a", "1");
    const names = [`${source.host}/a:1`, `${target.host}/a`];
    let puts = 0;
    target.fault = ({ line }) => (line.startsWith("PUT") && (puts += 1) > 6 ? "break" : undefined);
    const broken = await copy(names);
    expect(broken).toMatchObject({ code: 1, stdout: "" });
    expect(broken.stderr).toMatch(/broke the connection off/);
    expect(target.repository("a").tags.size).toBe(0);
    const sent = target.repository("a").blobs.size;
    expect(sent).toBeGreaterThan(2);

    target.fault = () => undefined;
    const { blobs } = await copyJson(names);
    expect(holdings(target, "a")).toEqual(holdings(source, "a"));
    expect(blobs).toMatchObject({ copied: source.repository("a").blobs.size - sent });
  });

  test("but mounted, within a registry and from what was just sent", async () => {
    const [source, target] = await startTwo({ auth: "bearer" }, {});
    for (const name of ["team/web", "team/api"]) new Images(source, name).image(["base"], { tag: "latest" });
    const home = join(source);
    expect(await copyJson([`${source.host}/team/web`, `${source.host}/copy`], { env: home })).toMatchObject({
      blobs: { copied: 0, mounted: 2 },
      bytes: 0,
    });
    const both = [`${source.host}/team/web`, `${source.host}/team/api`, `${target.host}/`];
    expect(await copyJson([...both, "--jobs", "1"], { env: home })).toMatchObject({ blobs: { copied: 2, mounted: 2 } });
  });

  const join = (registry: MemoryRegistry) => ({
    STOWAGE_URL: registry.url.href,
    STOWAGE_USERNAME: USER.username,
    STOWAGE_PASSWORD: USER.password,
  });

  test("with --dry-run nothing is sent at all", async () => {
    const [source, target] = await startTwo();
    const { index } = addSignedIndex(source, "a", "1");
    const names = [`${source.host}/a:1`, `${target.host}/a`];
    const planned = await copyJson([...names, "--dry-run"]);
    expect(target.lines(/^(?!HEAD|GET)/)).toEqual([]);
    const { stdout } = await copy([...names, "--dry-run"]);
    expect(stdout).toMatch(/would be copied/);
    expect(stdout).toMatch(/5 manifests and 9 blobs of \d+ bytes/);
    const { images, ...done } = await copyJson(names);
    expect({ ...planned, images: [], dryRun: false }).toEqual({ ...done, images: [] });
    expect(images[0]?.digest).toBe(index.digest);
  });
});

describe("who copies", () => {
  test("sends credentials to the registry that they are for, and to no other", async () => {
    const [source, target] = await startTwo({}, { auth: "bearer" });
    new Images(source, "a").image(["base"], { tag: "latest" });
    const env = { STOWAGE_USERNAME: USER.username, STOWAGE_PASSWORD: USER.password };
    await copyJson([`${source.host}/a`, `${target.host}/a`], { env });
    await copyJson([`${source.host}/a`, "b"], { env: { ...env, STOWAGE_URL: target.url.href } });
    expect(source.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
    expect([...target.repositories.keys()]).toEqual(["a", "b"]);

    const other = await startMemoryRegistry({ auth: "basic" });
    const elsewhere = { ...env, STOWAGE_URL: target.url.href };
    const refused = await copy([`${source.host}/a`, `${other.host}/a`], { env: elsewhere });
    expect(refused.stderr).toContain(`run docker login ${other.host}`);
    expect(other.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
  });

  test.each([
    [["only"], "say what to copy, and then where to"],
    [["nginx:1", "a", "--all-tags"], "--all-tags is for a repository, and docker.io/library/nginx:1 is less"],
    [["a.example/b:v*", "c:1"], "c:1 is one tag, for which there are several images"],
    [["a.example/b", "a.example/c", "d:1"], "d:1 is one tag"],
    [["a.example/b", "a.example/c", "d", "--all-tags"], "would mix in d: write d/ to keep them apart"],
    [["a.example/", "c/"], "a.example/ stands for all repositories below it: add --all-tags"],
    [["a.example/", "c", "--all-tags"], "would mix in c: write c/ to keep them apart"],
    [["a.example/b", "c@sha256:1"], "after @ comes a digest"],
    [["a.example/B", "c"], "'B' is no repository"],
    [["a.example/b", "c", "--platform", "arm"], "Write it as linux/amd64 or linux/arm/v7"],
    [["a.example/b", "c", "--jobs", "0"], "It must be a whole number from 1"],
  ])("and writes %j learns what is wrong", async (args, message) => {
    const { code, stderr } = await copy(args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test.each([
    [(host: string) => [`${host}/nothing:1`], /there is no 1 in \S+\/nothing: \S+ says: it is not here/],
    [(host: string) => [`${host}/a:x*`], /there is no tag in \S+\/a:x\*: nothing is copied/],
    [(host: string) => ["--platform", "linux/s390x", `${host}/a:1`], /no image for linux\/s390x .*amd64, linux\/arm64/],
    [() => ["http://example.org/a"], /'http:\/\/example.org\/a' names no image/],
  ])("what is not there learns so", async (args, message) => {
    const [source, target] = await startTwo();
    addSignedIndex(source, "a", "1");
    const { code, stderr } = await copy([...args(source.host), `${target.host}/a`]);
    expect(stderr).toMatch(message);
    expect(code).not.toBe(0);
  });
});
