import { mkdir, writeFile } from "node:fs/promises";
import { startBackground } from "./background.ts";
import type { Background } from "./background.ts";
import type { Workspace } from "./workspace.ts";

/** A containerd of the workspace's own: its own content, state and socket, and no more plug-ins than images need. */
export async function startContainerd(workspace: Workspace): Promise<Background> {
  const socket = workspace.path("containerd.sock");
  const configuration = workspace.path("containerd/config.toml");
  workspace.env.CONTAINERD_ADDRESS = socket;
  workspace.env.CONTAINERD_SNAPSHOTTER = "native";
  await mkdir(workspace.path("containerd"), { recursive: true });
  await writeFile(configuration, configurationOf(workspace, socket));
  return await startBackground({
    name: "containerd",
    command: "containerd",
    args: ["--config", configuration],
    env: workspace.env,
    isReady: async () => (await workspace.attempt("ctr", ["version"])).code === 0,
  });
}

/** Content is isolated by namespace, so that a fresh namespace is an empty store: a pull into it fetches every byte. */
function configurationOf(workspace: Workspace, socket: string): string {
  return `
version = 2
root = "${workspace.path("containerd/root")}"
state = "${workspace.path("containerd/state")}"
disabled_plugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.opt",
]
[grpc]
  address = "${socket}"
[plugins."io.containerd.metadata.v1.bolt"]
  content_sharing_policy = "isolated"
`;
}
