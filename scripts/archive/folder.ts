import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArchivePath } from "../../src/oci/tar-header.ts";
import { codeOf } from "../local/failure.ts";
import type { ArchiveFiles } from "./files.ts";

/** An image layout that lies in a folder. */
export function openFolder(folder: string): ArchiveFiles {
  return {
    title: folder,
    find: async (path) => {
      // What a file of the folder says may lead out of it.
      const file = join(folder, parseArchivePath(path));
      try {
        const stats = await stat(file);
        if (!stats.isFile()) return undefined;
        return { path, size: stats.size, open: (start) => createReadStream(file, { start }) };
      } catch (error) {
        if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
        throw error;
      }
    },
    close: () => Promise.resolve(),
  };
}
