import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { parseArchivePath } from "../../src/oci/tar-header.ts";
import { codeOf, Failure } from "../local/failure.ts";
import type { ArchiveFiles } from "./files.ts";

/**
 * An image layout that lies in a folder. Links are followed within it.
 * @throws Failure, from `find`, for a link out of the folder: who made it would choose which files are uploaded.
 */
export async function openFolder(folder: string): Promise<ArchiveFiles> {
  const root = await realpath(folder);
  return {
    title: folder,
    find: async (path) => {
      // What a file of the folder says may lead out of it.
      const named = join(root, parseArchivePath(path));
      try {
        const file = await realpath(named);
        if (!isWithin(root, file)) {
          const advice = "if it may be read, copy the folder with cp -rL first";
          throw new Failure(`${path} of ${folder} leads out of it by a link: ${advice}`);
        }
        const stats = await stat(file);
        if (!stats.isFile()) return undefined;
        return { path, size: stats.size, open: (start) => createReadStream(file, { start }) };
      } catch (error) {
        if (/^(ENOENT|ENOTDIR|ELOOP)$/.test(codeOf(error) ?? "")) return undefined;
        throw error;
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Whether a path is a folder or lies below it; both as `realpath` gives them. */
function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
