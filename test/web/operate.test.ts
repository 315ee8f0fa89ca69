import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "../../web/api.ts";
import type { RetentionReport } from "../../web/operate/answers.ts";
import { lineOf, roundUp } from "../../web/operate/chart.ts";
import { describeOutcome } from "../../web/operate/collection-words.ts";
import {
  costCommand,
  draftOfMonth,
  estimateOf,
  type Known,
  monthAgo,
  type MonthDraft,
  monthOf,
  pullsOfMonth,
  pushesOfMonth,
} from "../../web/operate/month.ts";
import { fieldByPath, objection, problemsOf } from "../../web/operate/problems.ts";
import { askToTheEnd, countTags } from "../../web/operate/retention-report.ts";
import { listOf, stowageCommand } from "../../web/operate/text.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-11-21T12:00:00Z");
const daysAgo = (days: number) => new Date(NOW - days * DAY).toISOString();

describe("a month", () => {
  const usage = {
    repositories: 3,
    objects: 1_000,
    bytes: 50_000_000_000,
    mirroredBytes: 0,
    databaseBytes: 7_000_000_000,
  };
  const known: Known = { usage, pulls: 120, pushes: 7 };
  const draft = draftOfMonth(known);

  test("has the pulls of a young repository as they are, and those of an old one by its age", () => {
    const repositories = [
      { pulls: 40, createdAt: daysAgo(2) },
      { pulls: 300, createdAt: daysAgo(300) },
    ];
    expect(pullsOfMonth(repositories, NOW)).toBe(70);
    expect(pullsOfMonth([], NOW)).toBe(0);
  });

  test("has the pushes that were, or as many as their pace tells", () => {
    const pushes = [{ occurredAt: daysAgo(1) }, { occurredAt: daysAgo(3) }];
    expect(pushesOfMonth(pushes, true, NOW)).toBe(2);
    expect(pushesOfMonth(pushes, false, NOW)).toBe(20);
    expect(pushesOfMonth([], true, NOW)).toBe(0);
    const burst = [{ occurredAt: new Date(NOW - 1).toISOString() }, { occurredAt: new Date(NOW - 2).toISOString() }];
    expect(pushesOfMonth(burst, false, NOW)).toBe(60);
    expect(monthAgo(NOW)).toBe("2026-10-22T12:00:00.000Z");
  });

  test("begins with what the registry stores, to the byte", () => {
    expect(draft).toMatchObject({ pulls: "120", pushes: "7", layerMegabytes: "50", storedGigabytes: "50" });
    const odd = { ...usage, bytes: 12_345_678_901 };
    expect(monthOf(draftOfMonth({ ...known, usage: odd }), odd).storedBytes).toBe(12_345_678_901);
    expect(estimateOf(known).dollars).toBeGreaterThan(5);
  });

  test("can be of any registry, however small", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 2 ** 50 }), fc.nat(), (objects, bytes, pulls) => {
        const any = { ...usage, objects, bytes };
        expect(monthOf(draftOfMonth({ ...known, usage: any, pulls }), any).storedBytes).toBe(bytes);
      }),
    );
  });

  test("of more storage has a larger database", () => {
    const month = monthOf({ ...draft, storedGigabytes: "1,000" }, usage);
    expect(month).toMatchObject({ storedBytes: 1e12, databaseBytes: 20_000 * 1_400 });
  });

  test.each<keyof MonthDraft>(["pulls", "layers", "storedGigabytes", "cachedPercent"])(
    "tells that %s is no number",
    (field) => {
      for (const text of ["", "many", "-1", "1e3"]) {
        const act = () => monthOf({ ...draft, [field]: text }, usage);
        expect(act).toThrow(ApiError);
        expect(problemsOf(caught(act), fieldByPath([field])).byField.has(field)).toBe(true);
      }
    },
  );

  test("is asked of the command line without what it takes for a mistake", () => {
    expect(costCommand(monthOf({ ...draft, pulls: "0", pushes: "0" }, usage)).join(" ")).toBe(
      "cost --layers 5 --layer-size 50MB --stored 50GB --cached 0 --client docker",
    );
    expect(costCommand(monthOf(draft, usage))).toContain("--pushes");
  });
});

function caught(act: () => unknown): Error | undefined {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  return undefined;
}

describe("what the registry objects to", () => {
  const fields = fieldByPath(["name", "repositories"]);
  const refusal = (detail: unknown) => new ApiError(400, "REQUEST_INVALID", "name: use letters", detail);

  test("stands beside its field", () => {
    const { byField, rest } = problemsOf(
      refusal([
        { path: "name", message: "use letters" },
        { path: "repositories.1", message: "use a pattern" },
        { path: "repositories.2", message: "use a pattern too" },
      ]),
      fields,
    );
    expect(Object.fromEntries(byField)).toEqual({ name: "use letters", repositories: "use a pattern" });
    expect(rest).toBeUndefined();
  });

  test("and has no field stands below them all", () => {
    const { byField, rest } = problemsOf(
      refusal([
        { path: "name", message: "use letters" },
        { path: "names", message: "is not known" },
        { path: "", message: "give more" },
      ]),
      fields,
    );
    expect(byField.size).toBe(1);
    expect(rest?.message).toBe("names: is not known; give more");
  });

  test.each([undefined, "text", [1, null, { path: 1 }], { path: "name" }])(
    "in words alone stays as it is: %j",
    (detail) => {
      const error = refusal(detail);
      expect(problemsOf(error, fields)).toEqual({ byField: new Map(), rest: error });
    },
  );

  test("in a name that is part of the path stands beside it", () => {
    const error = new ApiError(400, "NAME_INVALID", "use letters", undefined);
    expect(problemsOf(error, fields).byField.get("name")).toBe("use letters");
  });

  test("can be the page's own", () => {
    expect(problemsOf(objection("name", "is none"), fields).byField.get("name")).toBe("is none");
  });
});

describe("a retention report", () => {
  const step = (names: string[], more: Partial<RetentionReport>): RetentionReport => ({
    repositories: names.map((repository) => ({
      ...{ repository, bytes: 10, manifests: [] },
      tags: [
        { tag: "a", digest: "sha256:1", keep: false, reason: "old" },
        { tag: "b", digest: "sha256:2", keep: true, reason: "new" },
      ],
    })),
    bytes: 10 * names.length,
    isComplete: true,
    ...more,
  });

  test("is asked for until its end, each time from where the one before ended", async () => {
    const answers = [step(["x"], { isComplete: false, last: "1" }), step(["y", "z"], {})];
    const asked: unknown[] = [];
    const told: number[] = [];
    const sum = await askToTheEnd(
      async (last) => {
        asked.push(last);
        return await Promise.resolve(answers[asked.length - 1]!);
      },
      (soFar) => told.push(soFar.bytes),
    );
    expect(asked).toEqual([undefined, "1"]);
    expect(told).toEqual([10]);
    expect(sum).toMatchObject({ bytes: 30, isComplete: true });
    expect(countTags(sum)).toEqual({ gone: 3, kept: 3 });
  });

  test("is given up where the registry does not get on", async () => {
    const stuck = step([], { isComplete: false });
    await expect(
      askToTheEnd(
        async () => await Promise.resolve(stuck),
        () => undefined,
      ),
    ).rejects.toThrow("get on");
  });
});

describe("a line of a chart", () => {
  test("ends at a round number that is not below its highest point", () => {
    expect([0, 1, 3, 50, 51, 999].map(roundUp)).toEqual([1, 1, 5, 50, 100, 1_000]);
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e15, noNaN: true }), (value) => {
        expect(roundUp(value) / value).toBeGreaterThanOrEqual(1 - 1e-9);
        expect(roundUp(value) / value).toBeLessThan(10);
      }),
    );
  });

  test("goes from edge to edge by time, with zero at the bottom", () => {
    const points = [0, 1, 4].map((day, index) => ({ time: day * DAY, value: index * 5 }));
    expect(lineOf(points)).toEqual({
      ...{ path: "M0,100L25,50L100,0", area: "M0,100L25,50L100,0L100,100L0,100Z", top: 10 },
    });
    expect(lineOf([{ time: NOW, value: 5 }]).path).toBe("M0,0L100,0");
    expect(lineOf([])).toEqual({ path: "", area: "", top: 1 });
  });
});

test.each([
  ["", []],
  ["team/*", ["team/*"]],
  [" a,b;c\n\nd\t e ,", ["a", "b;c", "d", "e"]],
])("%j is a list", (text, list) => {
  expect(listOf(text)).toEqual(list);
});

test.each([
  ["http://127.0.0.1:8787", ["token", "revoke", "ci"], "npx stowage token revoke ci"],
  ["https://registry.example.org", ["gc"], "npx stowage gc --registry registry.example.org"],
  ["http://registry.lan:5000", ["gc"], "npx stowage gc --registry http://registry.lan:5000"],
  [
    "http://localhost:1",
    ["policy", "grant", "team/*", "it's ${x}", ""],
    String.raw`npx stowage policy grant 'team/*' 'it'\''s ${"${x}"}' ''`,
  ],
])("at %s, %j is a command that a shell takes as it is meant", (origin, args, command) => {
  expect(stowageCommand(origin, args)).toBe(command);
});

test("what a collection took is said in words, and so is nothing", () => {
  const nothing = { marked: 0, condemned: 0, manifests: 0, links: 0, blobs: 0, bytes: 0 };
  expect(describeOutcome(nothing)).toBe("nothing was due");
  expect(describeOutcome({ ...nothing, manifests: 1, blobs: 2, bytes: 5e6 })).toBe(
    "1 manifest, 2 blobs taken, 5 MB freed",
  );
  expect(describeOutcome({ ...nothing, marked: 2 })).toBe("the time of 2 manifests has begun");
});
