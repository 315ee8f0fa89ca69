import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf, Failure, reasonOf } from "./failure.ts";

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: "no permission to write there",
  EPERM: "no permission to write there",
  EROFS: "the file system is read-only",
  ENOENT: "no folder can be made there",
  EEXIST: "it is a file, not a folder",
  ENOTDIR: "part of the path is a file, not a folder",
  ENOSPC: "no space is left",
};

/** Makes the data folder, for its owner alone, and refuses one that cannot be written. */
export function openDataFolder(folder: string): void {
  try {
    makeFolder(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = ADVICE[codeOf(error) ?? ""] ?? reasonOf(error);
    throw new Failure(`cannot keep data in ${folder}: ${reason}; choose another folder with --data`);
  }
}

/** Node's own recursive mkdir never returns where a folder that exists takes no entries, as below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  if (!existsSync(dirname(folder))) makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}
