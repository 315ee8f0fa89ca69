import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { SimulatedD1 } from "./d1.ts";
import { Network } from "./network.ts";
import { SimulatedR2 } from "./r2.ts";
import { Random } from "./random.ts";
import { Run } from "./run.ts";
import type { SimulatedStream } from "./streams.ts";
import { World } from "./world.ts";

/** The bindings where nothing fails: what they promise of D1 and R2. */
function calmBindings() {
  const world = new World(new Random(1), "any", undefined);
  const network = new Network(world, { fail: 0, kill: 0, abandon: 0, slow: 0 });
  network.isCalm = true;
  const run = new Run(1, "test", 0);
  const d1 = new SimulatedD1();
  const r2 = new SimulatedR2(network, () => world.now);
  return { d1, db: d1.bindingFor(network, run), bucket: r2.bindingFor(run) };
}

const INSERT = "INSERT INTO repositories (name, created_at) VALUES (?1, ?2) RETURNING id";

describe("the simulated D1", () => {
  let { d1, db } = calmBindings();
  beforeEach(() => ({ d1, db } = calmBindings()));

  const count = async () => await db.prepare("SELECT COUNT(*) AS n FROM repositories").first("n");

  it("does all of a batch, or nothing", async () => {
    const twice = [db.prepare(INSERT).bind("a", 1), db.prepare(INSERT).bind("a", 2)];
    await expect(db.batch(twice)).rejects.toThrow("UNIQUE");
    expect(await count()).toBe(0);
  });

  it("gives the rows of RETURNING, and the number of changed ones", async () => {
    const insert = db.prepare(INSERT);
    const results = await db.batch<{ id: number }>([insert.bind("a", 1), insert.bind("b", 1)]);
    expect(results.map((result) => result.results.map((row) => ({ ...row })))).toEqual([[{ id: 1 }], [{ id: 2 }]]);
    const update = await db.prepare("UPDATE repositories SET created_at = 2").run();
    expect(update.meta.changes).toBe(2);
  });

  it("keeps foreign keys", async () => {
    const orphan = "INSERT INTO repository_blobs (repository_id, digest, linked_at) VALUES (1, 'none', 1)";
    await expect(db.prepare(orphan).run()).rejects.toThrow("FOREIGN KEY");
  });

  it("has D1's limits", async () => {
    const parameters = Array.from({ length: 101 }, (_, i) => `?${i + 1}`).join();
    await expect(db.prepare(`SELECT ${parameters}`).all()).rejects.toThrow("?1 and ?100");
    await expect(db.prepare("SELECT 'a' GLOB ?1").bind("a".repeat(51)).all()).rejects.toThrow("too complex");
    expect(() => db.prepare("SELECT ?1").bind(undefined)).toThrow("not supported");
  });

  it("forgets a history", async () => {
    await db.prepare(INSERT).bind("a", 1).run();
    d1.clear();
    expect(await count()).toBe(0);
    expect(await db.prepare(INSERT).bind("b", 1).first("id")).toBe(1);
  });
});

describe("the simulated R2", () => {
  const bytes = new TextEncoder().encode("0123456789");
  let { bucket } = calmBindings();
  beforeEach(() => ({ bucket } = calmBindings()));

  const read = async (key: string, range?: { offset: number; length: number }) => {
    const object = await bucket.get(key, range ? { range } : {});
    return object && Buffer.from(await (object.body as unknown as SimulatedStream).collect()).toString();
  };

  it("keeps nothing whose checksum differs", async () => {
    await expect(bucket.put("key", bytes, { sha256: "00" })).rejects.toThrow("(10037)");
    expect(await bucket.head("key")).toBeNull();
    await bucket.put("key", bytes, { sha256: createHash("sha256").update(bytes).digest("hex") });
    expect(await read("key")).toBe("0123456789");
    expect(await read("key", { offset: 2, length: 3 })).toBe("234");
  });

  it("lists by pages, and deletes many", async () => {
    for (const key of ["a", "b", "c"]) await bucket.put(key, bytes);
    const first = await bucket.list({ limit: 2 });
    expect(first.objects.map(({ key }) => key)).toEqual(["a", "b"]);
    const rest = await bucket.list({ limit: 2, cursor: first.truncated ? first.cursor : "" });
    expect(rest).toMatchObject({ truncated: false, objects: [{ key: "c" }] });
    await bucket.delete(["a", "c", "never there"]);
    expect((await bucket.list()).objects.map(({ key }) => key)).toEqual(["b"]);
  });

  it("makes one object of parts, once", async () => {
    const upload = await bucket.createMultipartUpload("key");
    const parts = [await upload.uploadPart(1, bytes), await upload.uploadPart(2, bytes.subarray(0, 2))];
    await upload.complete(parts);
    expect(await read("key")).toBe("012345678901");
    await expect(upload.complete(parts)).rejects.toThrow("(10024)");
    await expect(upload.abort()).rejects.toThrow("(10024)");
  });

  it("takes no parts of other sizes, and none that was sent again", async () => {
    const upload = await bucket.createMultipartUpload("key");
    const stale = await upload.uploadPart(1, bytes.subarray(0, 2));
    const fresh = await upload.uploadPart(1, bytes.subarray(0, 2));
    const larger = await upload.uploadPart(2, bytes);
    await expect(upload.complete([stale])).rejects.toThrow("(10025)");
    await expect(upload.complete([fresh, larger])).rejects.toThrow("(10048)");
  });
});
