import { type StartedRegistry, startRegistry } from "../server.ts";

/** An entry of the setting UPSTREAMS. What is on this machine is private. */
export interface UpstreamSetting {
  readonly name: string;
  readonly url: string;
  readonly anonymous?: boolean;
  readonly root?: boolean | readonly string[];
  readonly freshness?: string;
  readonly credentials?: string;
  readonly repositories?: readonly string[];
}

/** Starts a Stowage that mirrors registries on this machine. */
export async function startMirror(
  upstreams: readonly UpstreamSetting[],
  secrets: Readonly<Record<string, string>> = {},
): Promise<StartedRegistry> {
  const settings = upstreams.map((upstream) => ({ ...upstream, private: true }));
  return await startRegistry({ ...secrets, UPSTREAMS: JSON.stringify(settings) });
}
