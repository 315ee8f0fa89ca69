import { Agent } from "undici";
import { onTestFinished } from "vitest";
import { BodyLimit } from "../../../../scripts/distribution/body-limit.ts";
import { Relay } from "../../../../scripts/relay/relay.ts";
import type { Broken, Finished } from "../../../../scripts/relay/report.ts";
import { Upstream } from "../../../../scripts/relay/upstream.ts";
import type { Credentials } from "../../../../scripts/stowage/credentials.ts";
import { SILENCE } from "../../../../scripts/transfer/progress.ts";
import { digestOf, type MemoryRegistry } from "../../distribution/support/memory-registry.ts";
import { type Answer, send } from "../../support/http.ts";

interface Options {
  /** What a request holds at most; undefined: what the registry says. */
  readonly chunkBytes?: number;
  readonly lent?: Credentials;
  readonly tries?: number;
}

/** A relay of a test, with what it told. */
export interface StartedRelay {
  readonly relay: Relay;
  readonly url: URL;
  readonly finished: Finished[];
  readonly broken: Broken[];
}

/** Starts one before a registry, or what stands before that, until the test ends. */
export async function startRelay(registry: { readonly url: URL }, options: Options = {}): Promise<StartedRelay> {
  const { chunkBytes = Infinity, lent, tries = 4 } = options;
  const agent = new Agent();
  const endpoint = { host: registry.url.host, url: registry.url, credentials: lent };
  const finished: Finished[] = [];
  const broken: Broken[] = [];
  const report = {
    ...SILENCE,
    finished: (blob: Finished) => void finished.push(blob),
    broken: (upload: Broken) => void broken.push(upload),
  };
  const patience = { tries, firstMs: 1, mostMs: 5 };
  const relay = new Relay(new Upstream(endpoint, agent, 2_000), {
    ...{ limit: new BodyLimit(chunkBytes), patience, report, lent },
  });
  const port = await relay.open(0);
  onTestFinished(async () => {
    await relay.close(0);
    await agent.destroy();
  });
  return { relay, url: new URL(`http://127.0.0.1:${port}`), finished, broken };
}

/** How clients push a blob: docker, podman and crane, or containerd. */
export interface Push {
  readonly method: "PATCH" | "PUT";
  readonly isChunked: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

export const PUSHES: readonly Push[] = (["PATCH", "PUT"] as const).flatMap((method) =>
  [false, true].map((isChunked) => ({ method, isChunked })),
);

/** Opens an upload; where it is. */
export async function open({ url }: Pick<StartedRelay, "url">, headers: Push["headers"] = {}): Promise<URL> {
  const path = "/v2/team/web/blobs/uploads/";
  const { headers: answered } = await send(new URL(path, url), { method: "POST", headers });
  return new URL(String(answered.location), url);
}

/** Sends a blob to an upload: in one PUT, or in a PATCH and an empty PUT. Returns the answers. */
export async function push(location: URL, bytes: Buffer, { method, isChunked, headers = {} }: Push): Promise<Answer[]> {
  const put = (at: URL) => {
    const url = new URL(at);
    url.searchParams.set("digest", digestOf(bytes));
    return url;
  };
  if (method === "PUT") return [await send(put(location), { method, headers, body: bytes, isChunked })];
  const patched = await send(location, { method, headers, body: bytes, isChunked });
  if (patched.status !== 202) return [patched];
  const url = put(new URL(String(patched.headers.location), location));
  return [patched, await send(url, { method: "PUT", headers: { ...headers, "content-length": "0" } })];
}

/** Whether a repository of the registry has these bytes, by their digest. */
export function hasBlob(registry: MemoryRegistry, bytes: Buffer): boolean {
  return registry.repository("team/web").blobs.get(digestOf(bytes))?.equals(bytes) === true;
}
