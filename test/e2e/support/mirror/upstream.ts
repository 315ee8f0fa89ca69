import { randomUUID } from "node:crypto";
import { type ImageDescription, writeImageLayout, writeIndexLayout } from "../images.ts";
import type { Descriptor } from "../registry.ts";
import { createWorkspace } from "../workspace.ts";
import { startDistribution } from "./distribution.ts";
import { type Gate, openGate } from "./gate.ts";
import { startTokenService, UPSTREAM_OWNER } from "./token-service.ts";

/** What an upstream needs that is a real registry. */
export const UPSTREAM_TOOLS = ["docker-registry", "openssl", "skopeo"] as const;

/** A registry on this machine for another to mirror: distribution, which wants tokens, behind a gate. */
export interface UpstreamRegistry {
  readonly gate: Gate;
  /** The registry itself. */
  readonly url: string;
  /** Puts a new image under a tag, past the gate. */
  push(repository: string, tag: string, image?: ImageDescription): Promise<Descriptor>;
  /** The same of an index, with an image for each architecture. */
  pushIndex(repository: string, tag: string, architectures: readonly string[]): Promise<PushedIndex>;
  /** Ends it: nothing of it answers. */
  end(): Promise<void>;
  /** Starts it again, with all that it had. */
  restart(): Promise<void>;
  /** Ends it, and deletes what it had. */
  remove(): Promise<void>;
}

export interface PushedIndex {
  readonly index: Descriptor;
  readonly images: readonly Descriptor[];
}

export async function startUpstream(): Promise<UpstreamRegistry> {
  const workspace = await createWorkspace();
  const tokens = await startTokenService(workspace);
  const distribution = await startDistribution(workspace, tokens);
  const gate = await openGate(distribution.url);
  const { host } = new URL(distribution.url);

  async function copy<T>(write: (layout: string) => Promise<T>, repository: string, tag: string): Promise<T> {
    const layout = workspace.path(`layout-${randomUUID()}`);
    const written = await write(layout);
    const { username, password } = UPSTREAM_OWNER;
    await workspace.run("skopeo", [
      ...["copy", "--quiet", "--all", "--preserve-digests", "--dest-tls-verify=false"],
      ...["--dest-creds", `${username}:${password}`, `oci:${layout}:v1`, `docker://${host}/${repository}:${tag}`],
    ]);
    await workspace.run("rm", ["-r", layout]);
    return written;
  }

  const end = async () => {
    await gate.close();
    await distribution.stop();
  };
  return {
    gate,
    url: distribution.url,
    push: async (repository, tag, image = { layers: ["file"] }) =>
      await copy(async (layout) => await writeImageLayout(layout, "v1", image), repository, tag),
    pushIndex: async (repository, tag, architectures) =>
      await copy(async (layout) => await writeIndexLayout(layout, "v1", architectures), repository, tag),
    end,
    restart: async () => {
      await distribution.start();
      await gate.open();
    },
    remove: async () => {
      await end();
      await tokens.close();
      await workspace.remove();
    },
  };
}
