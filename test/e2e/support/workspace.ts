import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { attempt, run } from "./run.ts";
import type { Outcome, RunOptions } from "./run.ts";
import { TOOL_PATH } from "./paths.ts";

type CommandOptions = Omit<RunOptions, "env">;

/** A folder that holds all that one client keeps (home, credentials, images), so that nothing of the user's is touched. */
export interface Workspace {
  readonly env: NodeJS.ProcessEnv;
  /** A path inside the workspace. */
  path(...segments: string[]): string;
  /** Runs a command that must succeed, and answers its standard output. */
  run(command: string, args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Runs a command that may fail. */
  attempt(command: string, args: readonly string[], options?: CommandOptions): Promise<Outcome>;
  /** Deletes the folder and all in it. */
  remove(): Promise<void>;
}

/** Where podman and buildah are told that their registries' configuration is, and skopeo, which is not asked, looks for it. */
export const REGISTRIES_CONF = "home/.config/containers/registries.conf";

/** Makes a workspace. The folder's name is short: podman and Unix sockets limit the length of paths. */
export async function createWorkspace(): Promise<Workspace> {
  const root = await mkdtemp(join(tmpdir(), "e2e-"));
  const path = (...segments: string[]) => join(root, ...segments);
  const env = {
    PATH: TOOL_PATH,
    LANG: "C.UTF-8",
    HOME: path("home"),
    TMPDIR: path("tmp"),
    XDG_RUNTIME_DIR: path("run"),
    DOCKER_CONFIG: path("home/.docker"),
    REGISTRY_AUTH_FILE: path("home/auth.json"),
    CONTAINERS_CONF: path("home/containers.conf"),
    CONTAINERS_REGISTRIES_CONF: path(REGISTRIES_CONF),
    CONTAINERS_STORAGE_CONF: path("home/storage.conf"),
  };
  for (const folder of ["home/.config/containers", "home/.docker", "tmp", "run"]) {
    await mkdir(path(folder), { recursive: true });
  }
  await writeFile(path("home/.config/containers/policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  await writeFile(path("home/auth.json"), "{}");
  await writeFile(path("home/containers.conf"), '[engine]\nevents_logger = "none"\ncgroup_manager = "cgroupfs"\n');
  await writeFile(path(REGISTRIES_CONF), "unqualified-search-registries = []\n");
  await writeFile(path("home/storage.conf"), storageConfiguration(path("graph"), path("run/storage")));
  return {
    env,
    path,
    run: (command, args, options) => run(command, args, { ...options, env }),
    attempt: (command, args, options) => attempt(command, args, { ...options, env }),
    remove: async () => {
      await unmountBelow(root);
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A workspace of just the test that runs. */
export async function workspaceOfTest(): Promise<Workspace> {
  const workspace = await createWorkspace();
  onTestFinished(() => workspace.remove());
  return workspace;
}

function storageConfiguration(graphRoot: string, runRoot: string): string {
  return `[storage]\ndriver = "vfs"\ngraphroot = "${graphRoot}"\nrunroot = "${runRoot}"\n`;
}

/** Image stores mount their own folders, and where mounts propagate they do not always take that back when they end. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = await readFile("/proc/self/mounts", "utf8");
  const points = mounts.split("\n").map((line) => line.split(" ")[1] ?? "");
  for (const point of points.filter((each) => each.startsWith(`${folder}/`)).reverse()) {
    await run("umount", ["--lazy", point], { env: { PATH: TOOL_PATH } });
  }
}
