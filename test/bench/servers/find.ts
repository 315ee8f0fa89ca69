import { delimiter, join } from "node:path";
import { isExecutable, TOOL_PATH } from "../../e2e/support/paths.ts";

/** Why a program cannot be run; undefined where it is on the path. */
export function missingProgram(command: string, origin: string): string | undefined {
  if (TOOL_PATH.split(delimiter).some((folder) => isExecutable(join(folder, command)))) return undefined;
  return `there is no program ${command} (${origin}): run scripts/install-tools.sh bench`;
}
