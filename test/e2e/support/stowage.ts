import { join } from "node:path";
import { PROJECT_ROOT } from "./paths.ts";
import { registry } from "./registry.ts";
import type { Workspace } from "./workspace.ts";

/** The command line of this project, and the arguments that come before a command's. */
export const STOWAGE = [process.execPath, join(PROJECT_ROOT, "scripts/stowage.ts")] as const;

/** Lets the command line in a workspace find the registry under test, as its admin. */
export function useRegistry(workspace: Workspace): void {
  const { url, username, password } = registry;
  Object.assign(workspace.env, { STOWAGE_URL: url, STOWAGE_USERNAME: username, STOWAGE_PASSWORD: password });
}

/** What `copy` and `load` say with `--json`. */
export interface Transferred {
  readonly images: readonly { readonly status: string; readonly digest: string }[];
  readonly blobs: { readonly copied: number; readonly mounted: number; readonly present: number };
  readonly bytes: number;
}

/** Runs a command that must succeed; its document. */
export async function stowage(workspace: Workspace, ...args: readonly string[]): Promise<Transferred> {
  const [command, script] = STOWAGE;
  return JSON.parse(await workspace.run(command, [script, ...args, "--json"])) as Transferred;
}
