import { describe, expect, test } from "vitest";
import { readBlob } from "../../../scripts/distribution/blobs.ts";
import { BodyLimit } from "../../../scripts/distribution/body-limit.ts";
import type { Repository } from "../../../scripts/distribution/repository.ts";
import { uploadBlob } from "../../../scripts/distribution/uploads.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { ALICE, connect, failing } from "./support/connection.ts";
import { digestOf, type Fault, type MemoryRegistry, startMemoryRegistry } from "./support/memory-registry.ts";

const CONTENT = Buffer.from("hello");
const BLOB = { digest: digestOf(CONTENT) as Digest, size: CONTENT.length };

async function pull(repository: Repository): Promise<void> {
  for await (const chunk of readBlob(repository, BLOB, 0)) expect(chunk).toBeDefined();
}

async function push(repository: Repository, limit = new BodyLimit()): Promise<void> {
  const open = async function* (offset: number) {
    await Promise.resolve();
    yield CONTENT.subarray(offset);
  };
  await uploadBlob(repository, { blob: BLOB, open }, limit);
}

describe.each(["basic", "bearer"] as const)("a server that the registry sends to (%s)", (auth) => {
  test.each<[string, (store: MemoryRegistry) => Promise<MemoryRegistry>, (repository: Repository) => Promise<void>]>([
    ["to read", async ({ host }) => await startMemoryRegistry({ auth, redirect: `http://${host}/store` }), pull],
    [
      "to write",
      async ({ host }) => await startMemoryRegistry({ auth, uploadHeaders: { Location: `http://${host}/store` } }),
      push,
    ],
  ])("does not say where passwords go: %s", async (_, start, use) => {
    const [store, thief] = [await startMemoryRegistry(), await startMemoryRegistry()];
    const challenge = { "WWW-Authenticate": `Bearer realm="${thief.url.href}token",service="store"` };
    store.fault = () => ({ status: 401, headers: challenge });
    const repository = connect(await start(store), { credentials: ALICE });
    // Twice: nor is it what the registry is asked for from then on.
    for (let tries = 0; tries < 2; tries += 1) await expect(use(repository)).rejects.toThrow("401 Unauthorized");
    expect(store.lines(/^(GET|PUT) /)).toHaveLength(2);
    expect(store.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    expect(thief.requests).toEqual([]);
  });
});

describe("a registry with TLS sends nobody to where there is none", () => {
  const astray = async (registry: MemoryRegistry, use: (repository: Repository) => Promise<void>, message: string) => {
    await expect(use(connect(registry, { credentials: ALICE, isSecure: true }))).rejects.toThrow(message);
  };
  const refusal = "which is not safe: ask who runs it";

  test.each(["http", "ftp"])("to read: %s", async (scheme) => {
    const store = await startMemoryRegistry();
    await astray(await startMemoryRegistry({ redirect: `${scheme}://${store.host}/store` }), pull, "astray");
    expect(store.requests).toEqual([]);
  });

  test.each(["http", "ftp"])("to write: %s", async (scheme) => {
    const store = await startMemoryRegistry();
    const uploadHeaders = { Location: `${scheme}://${store.host}/store` };
    await astray(await startMemoryRegistry({ uploadHeaders }), push, refusal);
    expect(store.requests).toEqual([]);
  });

  test("to write on, and what was begun is given up", async () => {
    const [registry, store] = [await startMemoryRegistry(), await startMemoryRegistry()];
    registry.fault = failing<Fault>(/^PATCH/, { status: 202, headers: { Location: `${store.url.href}store` } });
    await astray(registry, async (repository) => await push(repository, new BodyLimit(3)), refusal);
    expect(store.requests).toEqual([]);
    expect(registry.uploads.size).toBe(0);
  });

  test("but to others with TLS, and within itself", async () => {
    const store = await startMemoryRegistry();
    store.fault = () => ({ status: 201 });
    const registry = await startMemoryRegistry();
    await push(connect(registry, { isSecure: true }), new BodyLimit(3));
    expect(registry.repository("team/web").blobs.has(BLOB.digest)).toBe(true);
    const uploadHeaders = { Location: `https://${store.host}/store` };
    await push(connect(await startMemoryRegistry({ uploadHeaders }), { isSecure: true }));
    expect(store.lines(/^PUT \/store\?digest=/)).toHaveLength(1);
  });
});
