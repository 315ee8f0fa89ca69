import { startBackground } from "./background.ts";
import { PROJECT_ROOT } from "./paths.ts";
import { findFreePort, type RegistryAccess, startRegistry, STOWAGE_START } from "./server.ts";
import { STOWAGE } from "./stowage.ts";

/** A registry behind an edge that limits bodies, and the relay before it. */
export interface RelayedRegistry extends RegistryAccess {
  /** Host and port of the relay. */
  readonly relay: string;
  readonly stop: () => Promise<void>;
}

/** Starts both; the relay has the admin's credentials. `limit` is one of `npm start -- --limit-body`. */
export async function startRelayedRegistry(limit: string): Promise<RelayedRegistry> {
  const registry = await startRegistry({}, [...STOWAGE_START, "--limit-body", limit]);
  const port = await findFreePort();
  const [command, script] = STOWAGE;
  const { username, password } = registry;
  const relay = await startBackground({
    name: "stowage relay",
    command,
    args: [script, "relay", "--port", String(port), "--registry", registry.url],
    env: { ...process.env, STOWAGE_USERNAME: username, STOWAGE_PASSWORD: password },
    cwd: PROJECT_ROOT,
    isReady: (output) => output.includes("The relay is ready"),
  });
  const stop = async () => {
    await relay.stop();
    await registry.stop();
  };
  return { ...registry, relay: `127.0.0.1:${port}`, stop };
}
