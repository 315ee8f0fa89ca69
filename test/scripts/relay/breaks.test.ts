import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Fault, startMemoryRegistry } from "../distribution/support/memory-registry.ts";
import { failing } from "../distribution/support/connection.ts";
import { send } from "../support/http.ts";
import { type Cut, Cutter } from "./support/cutter.ts";
import { hasBlob, open, push, type Push, PUSHES, startRelay } from "./support/relay.ts";

const CHUNK = 40_000;
const titles = PUSHES.map((how) => [`${how.isChunked ? "a chunked" : "a"} ${how.method}`, how] as const);

const FAULTS: readonly (readonly [title: string, method: "PATCH" | "PUT", fault: Fault])[] = [
  ["a chunk whose connection breaks", "PATCH", "break"],
  ["a chunk that breaks off in its midst", "PATCH", { breakBodyAt: 12_345 }],
  ["a chunk whose answer is lost", "PATCH", "break after"],
  ["a chunk that is 500", "PATCH", { status: 500 }],
  ["a chunk that times out", "PATCH", { status: 408 }],
  ["a chunk that comes too soon", "PATCH", { status: 429, headers: { "Retry-After": "0" } }],
  ["an end whose connection breaks", "PUT", "break"],
  ["an end whose answer is lost", "PUT", "break after"],
  ["an end that is 503", "PUT", { status: 503 }],
];

describe("a relay whose registry fails now and then", () => {
  describe.for(titles)("brings the blob of %s", ([, how]) => {
    test.for(FAULTS)("after %s", async ([, method, fault]) => {
      const registry = await startMemoryRegistry();
      const relay = await startRelay(registry, { chunkBytes: CHUNK });
      const bytes = randomBytes(3 * CHUNK + 1);
      let seen = 0;
      const location = await open(relay);
      registry.fault = ({ line }) =>
        line.startsWith(method) && ++seen === (method === "PATCH" ? 2 : 1) ? fault : undefined;
      const answers = await push(location, bytes, how);
      expect(answers.map(({ status }) => status)).toEqual(how.method === "PUT" ? [201] : [202, 201]);
      expect(hasBlob(registry, bytes)).toBe(true);
      expect(registry.uploads.size).toBe(0);
    });
  });

  test.for(titles)("makes smaller requests when one of %s is too large", async ([, how]) => {
    const registry = await startMemoryRegistry({ bodyMax: 1_300_000 });
    const relay = await startRelay(registry, { chunkBytes: 4_000_000 });
    const bytes = randomBytes(5_000_000);
    const answers = await push(await open(relay), bytes, how);
    expect(answers.at(-1)?.status).toBe(201);
    expect(hasBlob(registry, bytes)).toBe(true);
  });

  test.for(titles)("brings the blob of %s, or says that it did not, wherever connections are cut", async ([, how]) => {
    const registry = await startMemoryRegistry();
    const cutter = await Cutter.start(registry);
    const relay = await startRelay(cutter, { chunkBytes: CHUNK, tries: 12 });
    const anyCut = fc.record<Cut>({
      direction: fc.constantFrom("to the registry", "to the relay"),
      bytes: fc.oneof(fc.nat(400), fc.nat(3 * CHUNK)),
    });
    const property = fc.asyncProperty(
      fc.array(anyCut, { maxLength: 5 }),
      fc.integer({ min: 1, max: 4 * CHUNK }),
      async (cuts, length) => {
        const bytes = randomBytes(length);
        const location = await open(relay);
        cutter.cuts.splice(0, Infinity, ...cuts);
        const answers = await push(location, bytes, how);
        cutter.cuts.splice(0);
        // What is held covers all of it, so that it always arrives.
        expect(answers.map(({ status }) => status)).toEqual(how.method === "PUT" ? [201] : [202, 201]);
        expect(hasBlob(registry, bytes)).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });

  test("says in the protocol's words that it gives up, and whoever pushes again succeeds", async () => {
    const registry = await startMemoryRegistry();
    const relay = await startRelay(registry, { chunkBytes: CHUNK, tries: 2 });
    const bytes = randomBytes(2 * CHUNK);
    const location = await open(relay);
    registry.fault = failing<Fault>(/^PATCH/, { status: 503 }, { status: 503 });
    const [answer] = await push(location, bytes, { method: "PUT", isChunked: false });
    expect(answer?.status).toBe(503);
    expect(JSON.parse(answer?.body.toString() ?? "")).toMatchObject({ errors: [{ code: "UNAVAILABLE" }] });
    expect(relay.broken).toHaveLength(1);
    const again = await push(await open(relay), bytes, { method: "PUT", isChunked: false });
    expect(again[0]?.status).toBe(201);
  });

  test.for<readonly [string, Fault, number, string]>([
    ["its own words", { status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' }, 403, "DENIED"],
    ["those of a proxy in the protocol's", { status: 403, body: "<html>" }, 403, "UNKNOWN"],
  ])("passes on a refusal, %s", async ([, fault, status, code]) => {
    const registry = await startMemoryRegistry();
    const relay = await startRelay(registry, { chunkBytes: CHUNK });
    const location = await open(relay);
    registry.fault = failing(/^PATCH/, fault);
    const how: Push = { method: "PATCH", isChunked: true };
    const [answer] = await push(location, randomBytes(3 * CHUNK), how);
    expect(answer?.status).toBe(status);
    expect(JSON.parse(answer?.body.toString() ?? "")).toMatchObject({ errors: [{ code }] });
  });

  test("says that nobody is there", async () => {
    const relay = await startRelay({ url: new URL("http://127.0.0.1:9") });
    const answer = await send(new URL("/v2/", relay.url), { method: "GET" });
    expect([answer.status, answer.body.toString()]).toEqual([503, expect.stringContaining("UNAVAILABLE")]);
  });
});
