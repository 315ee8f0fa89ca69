import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NO_CALLS, sum, times } from "../../cost/calls.ts";
import { estimateMonth, type Month, priceOf } from "../../cost/estimate.ts";
import { pullOf, pushOf } from "../../cost/images.ts";
import { egressPrice } from "../../cost/peers.ts";
import { fillTables } from "../../cost/tables.ts";

const image = { layers: 5, layerBytes: 20_000_000 };
const NOTHING: Month = {
  ...{ pulls: 0, pushes: 0, image, habit: "docker", cached: 0 },
  ...{ storedBytes: 0, databaseBytes: 0 },
};

test("docs/cost.md has the tables that the numbers give: npm run docs:cost", () => {
  const docs = readFileSync(join(import.meta.dirname, "../../docs/cost.md"), "utf8");
  expect(docs).toBe(fillTables(docs));
});

describe("an image of five layers", () => {
  test("is pulled for less than 3 dollars a million, where the edge has it", () => {
    expect(1e6 * priceOf(pullOf(image, "podman", 1))).toBeLessThan(3);
    expect(1e6 * priceOf(pullOf(image, "containerd", 1))).toBeLessThan(3);
  });

  test("costs as many requests as each client was seen to send", () => {
    const requests = (habit: Month["habit"]) => pullOf(image, habit, 0).requests;
    expect([requests("docker"), requests("podman"), requests("containerd")]).toEqual([10, 9, 8]);
  });

  test("comes from R2 as far as the edge does not have it", () => {
    // Twice: once for who pulls, and once for the cache.
    expect([0, 0.5, 1].map((cached) => pullOf(image, "docker", cached).classB)).toEqual([12, 6, 0]);
  });

  test("is pushed with one put for each layer below a part, and with parts beyond", () => {
    expect(pushOf({ layers: 5, layerBytes: 1_000 }).classA).toBe(6);
    // 20 MB are 4 parts of 6 MiB.
    expect(pushOf(image).classA).toBe(1 + 5 * (3 + 4));
  });
});

describe("a month", () => {
  test("without anything costs the subscription", () => {
    expect(estimateMonth(NOTHING).dollars).toBe(5);
  });

  test.each<[string, Partial<Month>, number]>([
    ["storage, beyond 10 GB", { storedBytes: 1_010e9 }, 15],
    ["storage, of which a unit that was begun counts", { storedBytes: 10.1e9 }, 0.015],
    ["the database, beyond 5 GB", { databaseBytes: 7e9 }, 1.5],
    ["requests beyond 10 million, and CPU beyond 30 million ms", { pulls: 10e6, cached: 1 }, 90 * 0.3 + 70 * 0.02],
    ["class B beyond 10 million", { pulls: 5e6 }, 40 * 0.3 + 20 * 0.02 + 50 * 0.36],
  ])("costs %s", (_what, month, dollars) => {
    // The schedule's own requests come besides.
    expect(estimateMonth({ ...NOTHING, ...month }).dollars - 5).toBeCloseTo(dollars, 2);
  });

  test("is the sum of its parts", () => {
    const { subscription, parts, dollars } = estimateMonth({ ...NOTHING, pulls: 3e7, pushes: 1e6, storedBytes: 5e12 });
    expect(parts.map(({ name }) => name)).toHaveLength(new Set(parts.map(({ name }) => name)).size);
    expect(dollars).toBeCloseTo(
      parts.reduce((total, part) => total + part.dollars, subscription),
      9,
    );
  });
});

test("calls are summed by kind", () => {
  const one = { ...NO_CALLS, requests: 1, classB: 2 };
  expect(sum(one, times(3, one))).toEqual({ ...NO_CALLS, requests: 4, classB: 8 });
});

test.each([
  [50, 0],
  [1_100, 90],
  [10_100, 891 + 8.5],
  [200_000, 891 + 3_400 + 7_000 + 2_500],
])("%i GB that leave a cloud that bills them by tiers cost %d dollars", (gigabytes, dollars) => {
  const tiers = [
    [100, 0],
    [10_000, 0.09],
    [50_000, 0.085],
    [150_000, 0.07],
    [Infinity, 0.05],
  ] as const;
  expect(egressPrice(tiers, gigabytes)).toBeCloseTo(dollars, 6);
});
