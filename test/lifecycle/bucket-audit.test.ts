import { env } from "cloudflare:workers";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { auditBucket } from "../../src/lifecycle/bucket-audit.ts";
import { contextAt } from "../support/context.ts";
import { emptyStorage } from "../support/empty-storage.ts";
import { pushBlob, pushImage } from "../support/images.ts";
import { expectStatus, freshRepository, send } from "../support/registry.ts";

/** The Worker's context, at a time from now. */
const contextIn = (daysFromNow: number) => contextAt(24 * daysFromNow);

const column = async (sql: string): Promise<unknown[]> => {
  const { results } = await env.DB.prepare(sql).all();
  return results.map((row) => Object.values(row)[0]);
};
const discarded = async () => await column("SELECT object_key FROM discarded_objects ORDER BY object_key");
const missing = async () => await column("SELECT object_key FROM missing_objects ORDER BY object_key");

afterAll(emptyStorage);

beforeEach(async () => {
  await emptyStorage();
  await env.DB.batch([
    env.DB.prepare("DELETE FROM missing_objects"),
    env.DB.prepare("UPDATE bucket_audit SET after_key = ''"),
  ]);
});

describe("an object that no row names", () => {
  it("is discarded when it is older than any upload can be", async () => {
    await env.BUCKET.put("blobs/stray", "x");
    expect(await auditBucket(contextIn(1))).toBe(0);
    expect(await auditBucket(contextIn(3))).toBe(1);
    expect(await discarded()).toEqual(["blobs/stray"]);
    expect(await auditBucket(contextIn(3))).toBe(0);
  });

  it("is not one that a blob, a large manifest or an upload has", async () => {
    const repository = freshRepository();
    await pushBlob(repository, "a blob");
    await pushImage(repository, { more: { annotations: { x: "y".repeat(1_000_000) } } });
    const started = await expectStatus(await send("POST", `/v2/${repository}/blobs/uploads/`), 202);
    const location = started.headers.get("Location")!;
    await expectStatus(await send("PATCH", location, { body: new Uint8Array(100_000) }), 202);
    const { objects } = await env.BUCKET.list();
    expect(objects.length).toBeGreaterThanOrEqual(4);
    expect(await auditBucket(contextIn(100))).toBe(0);
    expect(await discarded()).toEqual([]);
  });
});

describe("a row whose object is gone", () => {
  it("is noted, stays, and is forgotten when the object is back", async () => {
    const repository = freshRepository();
    const { digest } = await pushBlob(repository, "soon gone");
    const [key] = (await column("SELECT object_key FROM blobs")) as [string];
    await env.BUCKET.delete(key);
    await auditBucket(contextIn(0));
    expect(await missing()).toEqual([key]);
    await expectStatus(await send("HEAD", `/v2/${repository}/blobs/${digest}`), 200);
    const told = await expectStatus(await send("GET", "/api/collection"), 200);
    expect(await told.json()).toMatchObject({ missing: [{ key, digest }] });
    await env.BUCKET.put(key, "soon gone");
    await auditBucket(contextIn(0));
    expect(await missing()).toEqual([]);
  });

  it("is not one that was stored while the bucket was read", async () => {
    const context = contextIn(0);
    const list = async (...args: Parameters<R2Bucket["list"]>) => {
      const listed = await env.BUCKET.list(...args);
      await pushBlob(freshRepository(), "meanwhile");
      return listed;
    };
    const bucket = new Proxy(env.BUCKET, {
      get: (target, name) =>
        name === "list" ? list : (Reflect.get(target, name) as (...args: unknown[]) => unknown).bind(target),
    });
    await auditBucket({ ...context, bucket });
    expect(await missing()).toEqual([]);
  });
});

it("goes on where it stopped, and begins again at the end", async () => {
  const names = Array.from({ length: 1_500 }, (_, number) => `blobs/stray-${String(number).padStart(4, "0")}`);
  for (let first = 0; first < names.length; first += 100) {
    await Promise.all(names.slice(first, first + 100).map(async (name) => await env.BUCKET.put(name, "")));
  }
  const context = contextIn(3);
  expect([await auditBucket(context), await auditBucket(context), await auditBucket(context)]).toEqual([1_000, 500, 0]);
});
