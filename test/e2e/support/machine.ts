import { afterAll, beforeAll } from "vitest";
import type { Background } from "./background.ts";
import { createWorkspace, workspaceOfTest } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** Starts a client's daemon, and says in the workspace where it is. */
export type DaemonStart = (workspace: Workspace) => Promise<Background>;

/**
 * Lets a daemon, if there is one, run beside a group of tests. What it gives makes workspaces, each for the test that runs:
 * of somebody at the daemon's machine who has never logged in.
 */
export function machineOfGroup(startDaemon?: DaemonStart): () => Promise<Workspace> {
  let machine: Workspace;
  let daemon: Background | undefined;

  beforeAll(async () => {
    machine = await createWorkspace();
    daemon = await startDaemon?.(machine);
  });

  afterAll(async () => {
    await daemon?.stop();
    await machine.remove();
  });

  return async () => {
    const workspace = await workspaceOfTest();
    const { DOCKER_HOST, CONTAINERD_ADDRESS, CONTAINERD_SNAPSHOTTER } = machine.env;
    Object.assign(workspace.env, { DOCKER_HOST, CONTAINERD_ADDRESS, CONTAINERD_SNAPSHOTTER });
    return workspace;
  };
}
