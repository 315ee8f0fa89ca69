import { open } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openTar } from "../../../scripts/archive/tar.ts";
import { contentOf, tarOf, writeTemporary } from "./support.ts";

async function openBytes(bytes: Uint8Array) {
  return await openTar(await open(writeTemporary(bytes)), "the archive");
}

test("what lies in an archive is found, wherever it is", async () => {
  const path = fc
    .array(fc.stringMatching(/^[a-z]{1,60}$/), { minLength: 1, maxLength: 4 })
    .map((names) => names.join("/"));
  const files = fc.dictionary(path, fc.string({ maxLength: 2_000 }), { maxKeys: 6 });
  await fc.assert(
    fc.asyncProperty(files, fc.nat(100), async (all, offset) => {
      const archive = await openBytes(await tarOf(all));
      for (const [name, content] of Object.entries(all)) {
        const file = await archive.find(name);
        expect(file?.size).toBe(Buffer.byteLength(content));
        expect(await contentOf(file)).toBe(content);
        const rest = Buffer.from(content).subarray(offset).toString();
        expect(await contentOf(file, offset)).toBe(rest);
      }
      expect(await archive.find("nowhere")).toBeUndefined();
      await archive.close();
    }),
    { numRuns: 20 },
  );
});

test("links are followed within it", async () => {
  const files = { "a/layer.tar": "hello", "b/layer.tar": { linkTo: "../a/layer.tar" }, c: { linkTo: "b/layer.tar" } };
  const archive = await openBytes(await tarOf({ ...files, lost: { linkTo: "nowhere" }, round: { linkTo: "round" } }));
  expect(await contentOf(await archive.find("./c"))).toBe("hello");
  expect(await archive.find("lost")).toBeUndefined();
  expect(await archive.find("round")).toBeUndefined();
  await archive.close();
});

describe("an archive is refused", () => {
  const changed = async (change: (bytes: Buffer) => Buffer) =>
    change(Buffer.from(await tarOf({ a: "x".repeat(600), b: "y" })));
  test.each<[string, () => Promise<Uint8Array>, string]>([
    ["that is none", () => Promise.resolve(Buffer.alloc(5_000, "x")), "is malformed"],
    ["that is empty", () => Promise.resolve(Buffer.alloc(0)), "ends before its time"],
    ["that was cut in a file", async () => await changed((bytes) => bytes.subarray(0, 700)), "ends before its time"],
    [
      "that was cut after a file",
      async () => await changed((bytes) => bytes.subarray(0, 1_536)),
      "ends before its time",
    ],
    [
      "that was damaged",
      async () => await changed((bytes) => (bytes.write("z", 3), bytes)),
      "the checksum that it states",
    ],
    [
      "with more after its end",
      async () => await changed((bytes) => Buffer.concat([bytes, Buffer.from("x")])),
      "follows its end",
    ],
    ["that leads out of itself", async () => await tarOf({ "../a": "x" }), "leads out of it"],
    ["whose links lead out of it", async () => await tarOf({ a: { linkTo: "/etc/passwd" } }), "is absolute"],
    ["with two files of one name", async () => await tarOf({ "a/b": "x", "./a/b": "y" }), "is in it twice"],
  ])("%s", async (_, make, message) => {
    await expect(openBytes(await make())).rejects.toThrow(message);
  });
});
