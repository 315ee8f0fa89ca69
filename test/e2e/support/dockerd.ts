import { mkdir } from "node:fs/promises";
import { startBackground } from "./background.ts";
import type { Background } from "./background.ts";
import type { Workspace } from "./workspace.ts";

/** A Docker daemon of the workspace's own: no network, no firewall rules, its own data and socket. */
export async function startDockerd(workspace: Workspace, flags: readonly string[] = []): Promise<Background> {
  const socket = `unix://${workspace.path("docker.sock")}`;
  workspace.env.DOCKER_HOST = socket;
  // The classic builder and store are dockerd's own; BuildKit would need a plug-in that Debian does not ship.
  workspace.env.DOCKER_BUILDKIT = "0";
  await mkdir(workspace.path("docker"), { recursive: true });
  return await startBackground({
    name: "dockerd",
    command: "dockerd",
    args: [
      ...["--data-root", workspace.path("docker/data"), "--exec-root", workspace.path("docker/exec")],
      ...["--host", socket, "--pidfile", workspace.path("docker/pid")],
      ...["--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=vfs"],
      ...flags,
    ],
    env: workspace.env,
    isReady: async () => (await workspace.attempt("docker", ["version"])).code === 0,
  });
}
