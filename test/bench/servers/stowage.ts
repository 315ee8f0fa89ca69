import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../e2e/support/paths.ts";
import { type RegistryAccess, startRegistry } from "../../e2e/support/server.ts";
import type { BenchServer, Contender, Headers } from "./server.ts";

/** A token is renewed when it has less left: longer than any measurement takes. */
const RENEWED_BEFORE_MS = 120_000;

/** Stowage as `npm start` serves it. */
export const stowage: Contender = {
  name: "stowage",
  title: "Stowage",
  missing: () => undefined,
  version: () => {
    const manifest = readFileSync(join(PROJECT_ROOT, "package.json"), "utf8");
    return Promise.resolve((JSON.parse(manifest) as { version: string }).version);
  },
  start: async (): Promise<BenchServer> => {
    const { url, pid, username, password, ...registry } = await startRegistry();
    const access = { ...registry, url, username, password };
    return {
      name: "stowage",
      url,
      pid,
      credentials: { username, password },
      authorize: bearer(access),
      stop: registry.stop,
    };
  },
};

/** Its tokens live for minutes: that of each scope is kept until it has few left. */
function bearer(registry: RegistryAccess): BenchServer["authorize"] {
  const tokens = new Map<string, { headers: Headers; renewAt: number }>();
  return async (repository, actions) => {
    const scope = `repository:${repository}:${actions}`;
    const known = tokens.get(scope);
    if (known !== undefined && Date.now() < known.renewAt) return known.headers;
    const { token, expiresIn } = await requestToken(registry, scope);
    const headers = { authorization: `Bearer ${token}` };
    tokens.set(scope, { headers, renewAt: Date.now() + expiresIn * 1000 - RENEWED_BEFORE_MS });
    return headers;
  };
}

async function requestToken({ url, username, password }: RegistryAccess, scope: string) {
  const credentials = Buffer.from(`${username}:${password}`).toString("base64");
  const response = await fetch(`${url}/token?service=stowage&scope=${encodeURIComponent(scope)}`, {
    headers: { authorization: `Basic ${credentials}` },
  });
  if (!response.ok) throw new Error(`Stowage gave no token: ${response.status} ${await response.text()}`);
  const { token, expires_in: expiresIn } = await response.json<{ token: string; expires_in: number }>();
  return { token, expiresIn };
}
