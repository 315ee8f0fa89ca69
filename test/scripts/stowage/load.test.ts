import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Files, layoutFiles, savedFiles, tarOf, writeTemporary } from "../archive/support.ts";
import { digestOf, type MemoryRegistry, startMemoryRegistry } from "../distribution/support/memory-registry.ts";
import { makeFolder } from "../support/server.ts";
import { run, type Surroundings } from "./support/run.ts";

async function load(args: readonly string[], more: Surroundings = {}) {
  return await run(["load", ...args], more);
}

async function loadFiles(files: Files, registry: MemoryRegistry, ...args: string[]) {
  return await load([writeTemporary(await tarOf(files)), `${registry.host}/app:1`, ...args]);
}

/** What a tag names: the manifest. */
function manifestAt(registry: MemoryRegistry, tag = "1", name = "app") {
  const { tags, manifests } = registry.repository(name);
  const kept = manifests.get(tags.get(tag) ?? "");
  expect(kept).toBeDefined();
  return JSON.parse(kept?.bytes.toString() ?? "") as {
    mediaType: string;
    config: { digest: string };
    layers: { digest: string; mediaType: string }[];
  };
}

function without(files: Files, lost: string): Files {
  return Object.fromEntries(Object.entries(files).filter(([name]) => name !== lost));
}

const DONE = { code: 0, stderr: "" };

describe("an archive of docker save", () => {
  test("becomes the same image, its layers as they lie", async () => {
    const registry = await startMemoryRegistry();
    const { files, id } = savedFiles("app:1", ["first", "second", "first"]);
    expect(await loadFiles(files, registry)).toMatchObject(DONE);
    const { mediaType, config, layers } = manifestAt(registry);
    expect(mediaType).toBe("application/vnd.docker.distribution.manifest.v2+json");
    expect(config.digest).toBe(id);
    expect(layers.map(({ digest }) => digest)).toEqual(
      ["first", "second", "first"].map((layer) => digestOf(Buffer.from(layer))),
    );
  });

  test.each([
    ["gzip", gzipSync, "application/vnd.docker.image.rootfs.diff.tar.gzip"],
    ["zstd", zstdCompressSync, "application/vnd.oci.image.layer.v1.tar+zstd"],
  ])("may have layers in %s", async (_, pack, type) => {
    const registry = await startMemoryRegistry();
    const { files } = savedFiles("app:1", ["first"]);
    const packed = pack(Buffer.from("first"));
    expect(await loadFiles({ ...files, "00000000/layer.tar": packed }, registry)).toMatchObject(DONE);
    expect(manifestAt(registry).layers).toMatchObject([{ digest: digestOf(packed), mediaType: type }]);
  });

  test("of several images needs to know which", async () => {
    const registry = await startMemoryRegistry();
    const [one, two] = [savedFiles("one:1", ["first"]), savedFiles("two", ["second"])];
    const lists = [one, two].flatMap(({ files }) => JSON.parse(files["manifest.json"] as string) as object[]);
    const files = {
      ...one.files,
      "11111111/layer.tar": "second",
      ...configsOf(two.files),
      "manifest.json": JSON.stringify(lists),
    };
    const both = { ...files, "manifest.json": JSON.stringify(lists).replace(/00000000(?!.*00000000)/, "11111111") };
    const { code, stderr } = await loadFiles(both, registry);
    expect(stderr).toMatch(/holds 2 images: choose one with --image, of: one:1, two/);
    expect(code).toBe(1);
    expect(await loadFiles(both, registry, "--image", "docker.io/library/two:latest")).toMatchObject(DONE);
    expect(manifestAt(registry).config.digest).toBe(two.id);
  });

  test.each<[string, (files: Files) => Files, RegExp]>([
    [
      "a layer is damaged",
      (files) => ({ ...files, "11111111/layer.tar": "Second" }),
      /content of sha256:\w+ is damaged/,
    ],
    ["a layer is missing", (files) => without(files, "11111111/layer.tar"), /does not hold 11111111\/layer.tar/],
    ["the config is damaged", (files) => ({ ...files, ...damage(files) }), /\.json of .* is damaged/],
    [
      "its list is none",
      (files) => ({ ...files, "manifest.json": "{" }),
      /manifest.json of the archive is not valid JSON/,
    ],
    ["its list is missing", (files) => without(files, "manifest.json"), /is no archive of images: it has neither/],
  ])("is refused where %s, and leaves no image", async (_, change, message) => {
    const registry = await startMemoryRegistry();
    const { code, stderr } = await loadFiles(change(savedFiles("app:1", ["first", "second"]).files), registry);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
    expect(registry.uploads.size).toBe(0);
    expect(registry.repository("app").manifests.size).toBe(0);
  });

  function configsOf(files: Files): Files {
    return Object.fromEntries(Object.entries(files).filter(([name]) => /^[0-9a-f]{64}\.json$/.test(name)));
  }

  function damage(files: Files): Files {
    return Object.fromEntries(Object.keys(configsOf(files)).map((name) => [name, "{}"]));
  }
});

describe("an image layout", () => {
  const { files, index, images } = layoutFiles("app:1", ["amd64", "arm64"]);

  test("comes as it is, with all its platforms", async () => {
    const registry = await startMemoryRegistry();
    expect(await loadFiles(files, registry)).toMatchObject(DONE);
    expect([...registry.repository("app").manifests.keys()].sort()).toEqual(
      [index, ...images].map(({ digest }) => digest).sort(),
    );
    expect(registry.repository("app").tags.get("1")).toBe(index.digest);
    expect(registry.repository("app").blobs.size).toBe(5);
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ["plain", (bytes) => bytes],
    ["in gzip", gzipSync],
    ["in zstd", zstdCompressSync],
  ])("comes from a file, from stdin, %s", async (_, pack) => {
    const registry = await startMemoryRegistry();
    const packed = pack(await tarOf(files));
    expect(await load([writeTemporary(packed), `${registry.host}/file:1`])).toMatchObject(DONE);
    expect(await load(["-", `${registry.host}/stdin:1`], { stdin: packed })).toMatchObject(DONE);
    for (const name of ["file", "stdin"]) expect(registry.repository(name).tags.get("1")).toBe(index.digest);
  });

  test("comes from a folder", async () => {
    const registry = await startMemoryRegistry();
    const folder = makeFolder();
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    expect(
      await load([folder, `${registry.host}/app:1`, `${registry.host}/app`, `${registry.host}/b:2`]),
    ).toMatchObject(DONE);
    expect([...registry.repository("app").tags.keys()].sort()).toEqual(["1", "latest"]);
    expect([...registry.repository("b").tags.keys()]).toEqual(["2"]);
    expect(registry.lines(/^PUT.*blobs/)).toHaveLength(5);
  });

  test("brings what it lists without a name", async () => {
    const registry = await startMemoryRegistry();
    const { files: more, images: signatures } = layoutFiles("", ["s390x"]);
    const listed = { manifests: [...manifestsIn(files), signatures[0]] };
    expect(await loadFiles({ ...more, ...files, "index.json": JSON.stringify(listed) }, registry)).toMatchObject(DONE);
    expect(registry.repository("app").manifests.has(signatures[0]?.digest ?? "")).toBe(true);
    expect(registry.repository("app").tags.get("1")).toBe(index.digest);
  });

  test("that is not whole gives way to what docker save wrote beside it", async () => {
    const registry = await startMemoryRegistry();
    const saved = savedFiles("app:1", ["first"]);
    const lost = `blobs/sha256/${images[1]?.digest.slice(7) ?? ""}`;
    const partial = without(files, lost);
    expect(await loadFiles({ ...partial, ...saved.files }, registry)).toMatchObject(DONE);
    expect(manifestAt(registry).config.digest).toBe(saved.id);
    const { code, stderr } = await loadFiles(partial, await startMemoryRegistry());
    expect(stderr).toContain(`does not hold ${images[1]?.digest ?? ""}`);
    expect(code).toBe(1);
  });

  function manifestsIn(layout: Files): object[] {
    return (JSON.parse(layout["index.json"] as string) as { manifests: object[] }).manifests;
  }
});

describe("loading", () => {
  const { files } = layoutFiles("app:1", ["amd64"]);

  test("sends nothing with --dry-run", async () => {
    const registry = await startMemoryRegistry();
    const { stdout, code } = await loadFiles(files, registry, "--dry-run");
    expect(stdout).toMatch(/would be copied[^]*2 manifests and 3 blobs of \d+ bytes/);
    expect(code).toBe(0);
    expect(registry.lines(/^(?!HEAD|GET)/)).toEqual([]);
  });

  test.each<[string[], string, 1 | 2]>([
    [["/nowhere", "a:1"], "cannot read the archive: ENOENT", 2],
    [["x"], "missing required argument 'name'", 2],
    [["x", "A:1"], "'A' is no repository", 2],
    [["x", "a:v*"], "'a:v*' is no name for an image: give REPOSITORY:TAG", 2],
    [["x", `a@sha256:${"0".repeat(64)}`], "is no name for an image", 2],
    [["-", "a:1"], "the archive on stdin: the archive is malformed: it ends before its time", 1],
  ])("%j says what is wrong", async (args, message, code) => {
    const outcome = await load(args);
    expect(outcome.stderr).toContain(message);
    expect(outcome.code).toBe(code);
  });
});
