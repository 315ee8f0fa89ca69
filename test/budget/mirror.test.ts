import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CountedRegistry, type Measured } from "../support/counted-registry.ts";
import { image, index, OCI_CONFIG, pushBlob, pushManifest, randomBytes } from "../support/images.ts";
import { setVisibility } from "../support/people.ts";
import { freshRepository } from "../support/registry.ts";
import { TestUpstream } from "../support/upstream.ts";

const SETTINGS = { CONTENT_CACHE_TTL: "0s", TAG_CACHE_TTL: "0s", BLOB_CACHE: "off", PULL_COUNT_INTERVAL: "1d" };

type Cost = readonly [classA: number, classB: number, roundTrips: number];
const costOf = ({ usage }: Measured): Cost => [usage.classA, usage.classB, usage.roundTrips];

/** What a client asks for in a pull, and what that costs while it is not here; of that, one is for the rules for anyone. */
const PULL = [
  { what: "HEAD manifests/multi", cold: [0, 0, 2] },
  { what: "GET manifests/multi", cold: [0, 0, 7] },
  { what: "GET manifests/IMAGE", cold: [0, 0, 6] },
  { what: "GET blobs/CONFIG", cold: [1, 0, 5] },
  { what: "GET blobs/LAYER", cold: [1, 0, 5] },
  { what: "GET tags/list", cold: [0, 0, 2] },
] as const satisfies readonly { readonly what: string; readonly cold: Cost }[];

describe("a pull of what an upstream has", () => {
  const remote = freshRepository();
  const names = new Map<string, string>();
  let upstream: TestUpstream;
  let registry: CountedRegistry;

  const ask = async (repository: string, what: string): Promise<Measured> => {
    const [method = "", path = ""] = what.split(" ");
    const named = path.replace(/[A-Z]+/, (word) => names.get(word) ?? "");
    const measured = await registry.send(method, `/v2/${repository}/${named}`, { headers: { Authorization: "" } });
    expect(measured.status).toBe(200);
    return measured;
  };

  beforeAll(async () => {
    const config = await pushBlob(remote, JSON.stringify({ id: remote }), { mediaType: OCI_CONFIG });
    const layer = await pushBlob(remote, randomBytes(300_000));
    const child = await pushManifest(remote, image(config, [layer]));
    await pushManifest(remote, index([child]), { tag: "multi" });
    for (const [name, { digest }] of Object.entries({ CONFIG: config, LAYER: layer, IMAGE: child }))
      names.set(name, digest);
    await setVisibility(remote, "public");
    upstream = new TestUpstream();
    registry = new CountedRegistry({ ...SETTINGS, ...(upstream.settings as { UPSTREAMS: string }) });
    // The upstream was asked before: its token is known, and that it answers is written down.
    await registry.send("HEAD", `/v2/${upstream.name}/${remote}/manifests/multi`, { headers: { Authorization: "" } });
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });

  it.each(PULL)("costs for $what what is to be stored: $cold", async ({ what, cold }) => {
    upstream.take();
    expect(costOf(await ask(`${upstream.name}/${remote}`, what))).toEqual(cold);
    expect(upstream.take()).toHaveLength(1);
  });

  it.each(PULL.filter(({ what }) => !what.includes("tags")))(
    "that is here costs for $what what our own costs",
    async ({ what }) => {
      upstream.take();
      const mirrored = [await ask(`${upstream.name}/${remote}`, what), await ask(`${upstream.name}/${remote}`, what)];
      const [, , roundTrips] = costOf(await ask(remote, what));
      for (const measured of mirrored) {
        const [classA, classB, more] = costOf(measured);
        expect([classA, classB]).toEqual([0, what.includes("blobs") ? 1 : 0]);
        expect(more).toBeLessThanOrEqual(roundTrips);
      }
      expect(upstream.take()).toEqual([]);
    },
  );
});
