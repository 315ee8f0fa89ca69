import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { formatMode, PATH_MAX, printable } from "../../web/image/layer/entry.ts";
import { Tree, type TreeNode } from "../../web/image/layer/tree.ts";
import { archiveOf, entriesOf, inPieces } from "./support/archive.ts";

const FILES = [
  { name: "etc/", type: "directory", mode: 0o755 },
  { name: "etc/passwd", size: 700, mode: 0o644 },
  { name: "bin/sh", type: "symlink", linkname: "busybox" },
  { name: `${"long/".repeat(60)}name`, size: 3 },
] as const;
const PATHS = FILES.map(({ name }) => name);

describe("a layer", async () => {
  const tar = await archiveOf(FILES);
  const middle = 1024;
  const members = Buffer.concat([gzipSync(tar.subarray(0, middle)), gzipSync(tar.subarray(middle))]);
  const frames = Buffer.concat([zstdCompressSync(tar.subarray(0, middle)), zstdCompressSync(tar.subarray(middle))]);
  const skipped = Buffer.from("502a4d1803000000616263", "hex");

  it.each([
    ["plain", tar],
    ["gzip", gzipSync(tar)],
    ["gzip of several members, as eStargz has it", members],
    ["zstd", zstdCompressSync(tar)],
    ["zstd of several frames and skipped ones, as zstd:chunked has it", Buffer.concat([frames, skipped])],
    ["zstd that begins with what is skipped", Buffer.concat([skipped, frames])],
    ["plain, without the blocks that end an archive", tar.subarray(0, -1024)],
  ])("%s is read, however it comes in pieces", async (_, layer) => {
    for (const size of [1, 3, 1000, 1_000_000]) {
      expect((await entriesOf(layer, size)).map(({ path }) => path)).toEqual(PATHS);
    }
  });

  it("says what its files are", async () => {
    const [, passwd, sh] = await entriesOf(tar);
    expect(passwd).toMatchObject({ type: "file", size: 700, mode: 0o644 });
    expect(sh).toMatchObject({ type: "symlink", target: "busybox", size: 0 });
  });

  it("of nothing has no entries", async () => {
    expect(await entriesOf(new Uint8Array())).toEqual([]);
    expect(await entriesOf(new Uint8Array(10_240))).toEqual([]);
  });

  it.each([
    ["that ends within a file", tar.subarray(0, 1100)],
    ["that ends within a file's padding", tar.subarray(0, 512 + 512 + 701)],
    ["with a header that was changed", tar.map((byte, at) => (at === 600 ? byte ^ 1 : byte))],
    ["in gzip, cut", gzipSync(tar).subarray(0, -60)],
    ["in zstd, cut", zstdCompressSync(tar).subarray(0, -10)],
    ["that is no archive", Buffer.from("<!doctype html>".repeat(100))],
  ])("%s is an error", async (_, layer) => {
    await expect(entriesOf(layer)).rejects.toThrow(/truncated|checksum|Invalid|invalid|EOF/);
  });

  it("with names of megabytes has them cut", async () => {
    const [only] = await entriesOf(await archiveOf([{ name: "n".repeat(1_000_000) }]));
    expect(only?.path).toHaveLength(PATH_MAX + 1);
  });
});

describe("the tree of a layer", () => {
  const folder = mkdtempSync(join(tmpdir(), "layer-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is what tar lists", async () => {
    const root = join(folder, "root");
    await mkdir(join(root, "usr/share/doc"), { recursive: true });
    await mkdir(join(root, "empty"));
    await writeFile(join(root, "usr/share/doc/ä b"), "12345");
    await writeFile(join(root, `usr/${"x".repeat(180)}`), "1");
    await symlink("usr/share", join(root, "share"));
    const archive = execFileSync("tar", ["-c", "-C", root, "--sort=name", "."], { maxBuffer: 10_000_000 });
    const listed = execFileSync("tar", ["-t", "--quoting-style=literal"], { input: archive, encoding: "utf8" });
    const tree = new Tree();
    for (const entry of await entriesOf(archive)) tree.add(entry);
    expect(pathsOf(tree.root)).toEqual(
      listed
        .trim()
        .split("\n")
        .map((line) => line.replace(/^\.\/|\/$/g, ""))
        .filter((path) => path !== "")
        .sort(),
    );
    expect(tree.find(["usr"])?.size).toBe(6);
  });
});

function pathsOf(node: TreeNode, prefix = ""): string[] {
  return [...node.children.values()]
    .flatMap((child) => [prefix + child.name, ...pathsOf(child, `${prefix}${child.name}/`)])
    .sort();
}

it("pieces are whole when put together", async () => {
  const bytes = Buffer.from("some bytes");
  const pieces: Uint8Array[] = [];
  for await (const piece of inPieces(bytes, 3)) pieces.push(piece);
  expect(Buffer.concat(pieces)).toEqual(bytes);
});

it.each([
  [{ type: "directory", mode: 0o1777 }, "drwxrwxrwt"],
  [{ type: "file", mode: 0o4755 }, "-rwsr-xr-x"],
  [{ type: "file", mode: 0o2640 }, "-rw-r-S---"],
  [{ type: "symlink", mode: 0o777 }, "lrwxrwxrwx"],
] as const)("a mode is written as ls does: %o", (entry, text) => {
  expect(formatMode(entry)).toBe(text);
});

it("shows what a name hides", () => {
  expect(printable("a\u001b[31m\u202etxt.exe\n")).toBe(String.raw`a\u001b[31m\u202etxt.exe\u000a`);
  expect(printable("ünï 名前 <b>")).toBe("ünï 名前 <b>");
});
