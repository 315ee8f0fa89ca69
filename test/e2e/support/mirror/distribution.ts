import { mkdir, writeFile } from "node:fs/promises";
import { type Background, startBackground } from "../background.ts";
import { TOOL_PATH } from "../paths.ts";
import { findFreePort } from "../server.ts";
import type { Workspace } from "../workspace.ts";
import type { TokenService } from "./token-service.ts";

/** distribution 2.8, which most registries are or were. */
export interface Distribution {
  readonly url: string;
  /** Ends the program; what it holds stays. */
  stop(): Promise<void>;
  /** Starts it again, where it was. */
  start(): Promise<void>;
}

/** Starts distribution with its data in the workspace, on a free port of 127.0.0.1, and asks for tokens of the service. */
export async function startDistribution(workspace: Workspace, tokens: TokenService): Promise<Distribution> {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const configuration = workspace.path("distribution/config.json");
  await mkdir(workspace.path("distribution/data"), { recursive: true });
  await writeFile(
    configuration,
    JSON.stringify({
      version: "0.1",
      log: { level: "error", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: workspace.path("distribution/data") } },
      http: { addr: `127.0.0.1:${port}`, secret: "of the tests" },
      auth: { token: tokens.configuration },
    }),
  );
  const start = async () =>
    await startBackground({
      name: "distribution",
      command: "docker-registry",
      args: ["serve", configuration],
      // distribution takes REGISTRY_AUTH_FILE, which is podman's, for a setting.
      env: { PATH: TOOL_PATH },
      isReady: async () => await answers(url),
    });
  let program: Background | undefined = await start();
  return {
    url,
    stop: async () => {
      await program?.stop();
      program = undefined;
    },
    start: async () => {
      program ??= await start();
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/v2/`)).status === 401;
  } catch {
    return false;
  }
}
