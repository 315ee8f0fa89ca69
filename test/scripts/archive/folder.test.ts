import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../../scripts/archive/open.ts";
import { makeFolder } from "../support/server.ts";
import { contentOf } from "./support.ts";

/** A folder with a file `a/layer`, and beside it one of a name that starts alike, with `secret`. */
function makeFolders() {
  const parent = makeFolder();
  const [folder, beside] = [join(parent, "layout"), join(parent, "layout-of-mine")];
  mkdirSync(join(folder, "a"), { recursive: true });
  mkdirSync(beside);
  writeFileSync(join(folder, "a/layer"), "hello");
  writeFileSync(join(folder, "..layer"), "dots");
  writeFileSync(join(beside, "secret"), "mine");
  return { parent, folder, beside };
}

const openFolder = async (folder: string) => await openArchive(folder, process.stdin);

describe("of a folder", () => {
  test("files are found, and links are followed within it", async () => {
    const { parent, folder } = makeFolders();
    symlinkSync("a/layer", join(folder, "relative"));
    symlinkSync(join(folder, "a"), join(folder, "absolute"));
    symlinkSync("nowhere", join(folder, "lost"));
    symlinkSync("round", join(folder, "round"));
    symlinkSync(folder, join(parent, "link"));
    for (const path of [folder, join(parent, "link")]) {
      const archive = await openFolder(path);
      for (const name of ["a/layer", "./relative", "absolute/layer"]) {
        expect(await contentOf(await archive.find(name), 1)).toBe("ello");
      }
      expect(await contentOf(await archive.find("..layer"))).toBe("dots");
      for (const name of [".", "a", "a/layer/b", "b", "lost", "round"]) {
        expect(await archive.find(name)).toBeUndefined();
      }
    }
  });

  test.each<[string, (beside: string) => string, string]>([
    ["a link to a file", (beside) => join(beside, "secret"), "blobs"],
    ["a relative one", () => "../layout-of-mine/secret", "blobs"],
    ["a link to a folder", (beside) => beside, "blobs/secret"],
    ["a link to what is above it", () => "..", "blobs/layout-of-mine/secret"],
  ])("nothing outside of it is read: %s", async (_, target, path) => {
    const { folder, beside } = makeFolders();
    symlinkSync(target(beside), join(folder, "blobs"));
    const archive = await openFolder(folder);
    await expect(archive.find(path)).rejects.toThrow(
      `${path} of ${folder} leads out of it by a link: if it may be read, copy the folder with cp -rL first`,
    );
  });

  test("a path does not lead out of it either", async () => {
    const { folder } = makeFolders();
    await expect((await openFolder(folder)).find("../layout-of-mine/secret")).rejects.toThrow("leads out of it");
  });
});
