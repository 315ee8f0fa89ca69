import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** The project's root folder. */
export const PROJECT_ROOT = resolve(import.meta.dirname, "../../..");

/** The search path for programs: what the project built for itself, then the machine's, then where daemons live. */
export const TOOL_PATH = [join(PROJECT_ROOT, ".cache/tools/bin"), process.env.PATH ?? "", "/usr/sbin", "/sbin"].join(
  delimiter,
);

/** Whether there is a program at this path. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
