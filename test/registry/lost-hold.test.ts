import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { inPieces, makeBytes, digestOf } from "../support/content.ts";
import { WatchedRegistry } from "../support/counted-registry.ts";

const registry = new WatchedRegistry(async (_call, run) => await run());

/** As if the hold of whoever writes had ended while it was busy. */
async function endHolds(): Promise<void> {
  await env.DB.prepare("UPDATE upload_sessions SET writer_expires_at = 0").run();
}

/** An upload with 100 KB that are acknowledged: they wait in an object of their own. */
async function startWithTail(bytes: Uint8Array): Promise<string> {
  const post = await registry.send("POST", "/v2/holds/blobs/uploads/");
  const location = post.headers.get("Location")!;
  const patch = await registry.send("PATCH", location, { body: { bytes: inPieces(bytes, 10_000) } });
  expect(patch.status).toBe(202);
  return location;
}

/** A body that goes on only when it is let. */
function stalled(bytes: Uint8Array): { body: AsyncIterable<Uint8Array>; proceed: () => void } {
  const gate = Promise.withResolvers<undefined>();
  async function* body(): AsyncGenerator<Uint8Array, void> {
    yield bytes.subarray(0, 1);
    await gate.promise;
    yield bytes.subarray(1);
  }
  return { body: body(), proceed: () => gate.resolve(undefined) };
}

async function untilHeld(): Promise<void> {
  for (let i = 0; i < 100; i += 1) {
    const row = await env.DB.prepare("SELECT 1 FROM upload_sessions WHERE writer IS NOT NULL").first();
    if (row) return;
    await scheduler.wait(10);
  }
  throw new Error("the request never took the session");
}

it.each([
  { slow: "PATCH", size: 7_000_000 },
  { slow: "PUT", size: 1_000 },
])("a slow $slow that lost its session takes nothing from who has it now", async ({ slow, size }) => {
  const bytes = makeBytes(100_000, size);
  const digest = await digestOf(bytes);
  const location = await startWithTail(bytes);
  const more = makeBytes(size, 2);
  const { body, proceed } = stalled(more);
  const query = slow === "PUT" ? `?digest=${await digestOf(new Uint8Array([...bytes, ...more]))}` : "";
  const slowAnswer = registry.send(slow, `${location}${query}`, { body: { bytes: body } });
  await untilHeld();
  await endHolds();
  const other = await registry.send("PATCH", location, { body: { bytes: new Uint8Array(0) } });
  expect(other.status).toBe(202);
  proceed();
  expect((await slowAnswer).status).toBe(416);

  const put = await registry.send("PUT", `${location}?digest=${digest}`);
  expect(put.status).toBe(201);
  await registry.runSchedule();
  const get = await registry.send("GET", `/v2/holds/blobs/${digest}`);
  expect(get.status).toBe(200);
  expect(await digestOf(get.bytes)).toBe(digest);
});
