import { createWorkspace } from "../workspace.ts";
import { startDistribution } from "./distribution.ts";
import { type Gate, openGate } from "./gate.ts";
import type { PushTarget } from "./pushing.ts";
import { startTokenService, UPSTREAM_OWNER } from "./token-service.ts";

/** What an upstream needs that is a real registry, and to push to it. */
export const UPSTREAM_TOOLS = ["docker-registry", "openssl", "skopeo"] as const;

/** A registry on this machine for another to mirror: distribution, which wants tokens, behind a gate. */
export interface UpstreamRegistry {
  readonly gate: Gate;
  /** The registry itself, behind the gate, and its owner. */
  readonly behind: PushTarget & { readonly url: string };
  /** Ends it: nothing of it answers. */
  end(): Promise<void>;
  /** Starts it again, with all that it had. */
  restart(): Promise<void>;
  /** Ends it, and deletes what it had. */
  remove(): Promise<void>;
}

/** Starts an upstream that has nothing. */
export async function startUpstream(): Promise<UpstreamRegistry> {
  const workspace = await createWorkspace();
  const tokens = await startTokenService(workspace);
  const distribution = await startDistribution(workspace, tokens);
  const { url } = distribution;
  const gate = await openGate(url);
  const end = async () => {
    await gate.close();
    await distribution.stop();
  };
  return {
    gate,
    behind: { ...UPSTREAM_OWNER, url, host: new URL(url).host },
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
