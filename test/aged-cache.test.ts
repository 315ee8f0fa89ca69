import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AgedCache } from "../src/aged-cache.ts";

const roomy = () => new AgedCache<string>({ entries: 100, bytes: 1_000 });

describe("what is kept", () => {
  it("is given as long as it is young enough for its reader", () => {
    const cache = roomy();
    cache.put("a", "A", 100, 1);
    expect([cache.get("a", 99), cache.get("a", 100), cache.get("a", 101)]).toEqual(["A", undefined, undefined]);
  });

  it("is never given to a reader who lets nothing be old", () => {
    const cache = roomy();
    const [now, ageMs] = [100, 0];
    cache.put("a", "A", now, 1);
    expect(cache.get("a", now - ageMs)).toBeUndefined();
  });

  it("makes no room for something older, which was only slower to come", () => {
    const cache = roomy();
    cache.put("a", "new", 200, 1);
    cache.put("a", "old", 100, 1);
    expect(cache.get("a", 0)).toBe("new");
    cache.put("a", "newer", 300, 1);
    expect(cache.get("a", 299)).toBe("newer");
  });

  it("can be replaced by what is as old", () => {
    const cache = roomy();
    cache.put("a", "A", 100, 1);
    cache.replace("a", "B");
    cache.replace("b", "B");
    expect([cache.get("a", 99), cache.get("a", 100), cache.get("b", 0)]).toEqual(["B", undefined, undefined]);
  });

  it("is forgotten by how its key begins", () => {
    const cache = roomy();
    for (const key of ["a@1", "a@2", "aa@1", "b@1"]) cache.put(key, key, 1, 10);
    cache.forget("a@");
    expect(["a@1", "a@2", "aa@1", "b@1"].filter((key) => cache.get(key, 0))).toEqual(["aa@1", "b@1"]);
    cache.forget("");
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });

  it("is what was read last, where there is no room for all", () => {
    const cache = new AgedCache<string>({ entries: 2, bytes: 1_000 });
    cache.put("a", "A", 1, 1);
    cache.put("b", "B", 1, 1);
    cache.get("a", 0);
    cache.put("c", "C", 1, 1);
    expect(["a", "b", "c"].filter((key) => cache.get(key, 0))).toEqual(["a", "c"]);
  });

  it("is nothing larger than all room, for which nothing else goes", () => {
    const cache = new AgedCache<string>({ entries: 2, bytes: 10 });
    cache.put("a", "A", 1, 10);
    cache.put("b", "B", 1, 11);
    expect([cache.get("a", 0), cache.get("b", 0), cache.bytes]).toEqual(["A", undefined, 10]);
  });
});

it("stays within its bounds, and gives what was put last, or nothing", () => {
  const puts = fc.record({ key: fc.constantFrom("a", "b", "c", "d", "e"), bytes: fc.nat(12) });
  fc.assert(
    fc.property(fc.array(puts, { maxLength: 60 }), (all) => {
      const cache = new AgedCache<number>({ entries: 3, bytes: 20 });
      const last = new Map<string, number>();
      all.forEach(({ key, bytes }, index) => {
        cache.put(key, index, index + 1, bytes);
        last.set(key, index);
        expect(cache.size).toBeLessThanOrEqual(3);
        expect(cache.bytes).toBeLessThanOrEqual(20);
        expect(cache.get(key, 0)).toBe(index);
        for (const [known, value] of last) expect([value, undefined]).toContain(cache.get(known, 0));
      });
    }),
  );
});
