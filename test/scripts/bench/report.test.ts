import { describe, expect, test } from "vitest";
import { withResults } from "../../bench/report/markdown.ts";
import { plot } from "../../bench/report/plot.ts";
import { type Report, tableOf, toJson, verdictRow } from "../../bench/report/report.ts";
import { type Measured, Results } from "../../bench/report/results.ts";

const results = new Results();
const metric = { id: "layer.push", title: "push <one> layer", unit: "s", limit: "raw R2 put" } as const;
for (const value of [2, 1, 3]) results.add(metric, "stowage", value);
results.add(metric, "limit", 1.234567);

const REPORT: Report = {
  date: "2026-11-21T12:00:00.000Z",
  commit: "0123abc",
  machine: { processor: "P", cores: 2, memoryGb: 8, system: "Linux" },
  rounds: 3,
  quick: false,
  participants: [
    { name: "stowage", title: "Stowage", version: "1" },
    { name: "zot", title: "zot", version: "2" },
    { name: "limit", title: "limit of the runtime", version: "3" },
  ],
  missing: [{ title: "distribution 3", reason: "there is none" }],
  measured: results.list(),
  targets: [{ title: "t", bound: "≤ 1", value: 2, worst: "w", met: false }],
};

test("the table has the medians, and how many times Stowage's the others' are", () => {
  expect(tableOf(REPORT)).toEqual({
    head: ["", "unit", "Stowage", "zot", "limit of the runtime"],
    rows: [["push <one> layer", "s", "2", "", "1.23 (0.62)"]],
  });
});

test.each([
  [{ title: "t", bound: "≤ 1" }, ["t", "≤ 1", "", "not measured", ""]],
  [{ title: "t", bound: "≤ 1", value: 0.5, worst: "w", met: true }, ["t", "≤ 1", "0.5", "met", "w"]],
  [{ title: "t", bound: "≤ 1", value: 2, worst: "w", met: false }, ["t", "≤ 1", "2", "missed", "w"]],
])("the verdict %j reads %j", (verdict, row) => {
  expect(verdictRow(verdict)).toEqual(row);
});

test("the JSON holds every round, those of a server on one line", () => {
  const text = toJson(REPORT);
  expect(text).toContain('"stowage": [2, 1, 3],\n        "limit": [1.2346]');
  expect(JSON.parse(text)).toMatchObject({ commit: "0123abc", measured: [{ id: "layer.push" }] });
});

describe("the page", () => {
  test("gets the results between its marks, and keeps the rest", () => {
    const page = withResults("before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n", REPORT);
    expect(page).toMatch(/^before\n<!-- results -->\n/);
    expect(page).toMatch(/\n<!-- end of results -->\nafter\n$/);
    expect(page).toContain("| push <one> layer | s | 2 |  | 1.23 (0.62) |");
    expect(page).toContain("| t | ≤ 1 | 2 | missed | w |");
    expect(page).toContain("- distribution 3: not measured, there is none");
    expect(page).not.toContain("old");
    expect(withResults(page, REPORT)).toBe(page);
  });

  test("is refused without marks", () => {
    expect(() => withResults("<!-- results -->", REPORT)).toThrow("lacks the marks");
  });
});

describe("the plot", () => {
  const svg = plot("Pushes & pulls", REPORT.measured, REPORT.participants);

  test("has a bar for each server that was measured, in proportion", () => {
    const bars = [...svg.matchAll(/<g class="([\w.-]+)">.*?width="([\d.]+)"/g)].map(([, name, width]) => [name, width]);
    expect(bars).toEqual([
      ["stowage", "130.0"],
      ["limit", (130 * (1.234567 / 2)).toFixed(1)],
    ]);
  });

  test("names what the limit is, and escapes what it writes", () => {
    expect(svg).toContain("raw R2 put");
    expect(svg).toContain("<title>Pushes &amp; pulls</title>");
    expect(svg).toContain("push &lt;one&gt; layer (s, less is better)");
  });

  test("can be read on dark pages", () => {
    expect(svg).toContain("prefers-color-scheme: dark");
  });

  test("breaks a long title in two, and has room for all metrics", () => {
    const long: Measured = {
      metric: { ...metric, title: "a title of many words that is long" },
      rounds: { stowage: [0] },
    };
    const tall = plot("t", Array<Measured>(4).fill(long), REPORT.participants);
    expect(tall).toContain('y="12">a title of many words that is long (s, less</text>');
    expect(tall).toContain('y="28">is better)</text>');
    const [, height = "", below = ""] = /height="(\d+)" viewBox(?:.|\n)*translate\(16 (\d+)\)/.exec(tall) ?? [];
    expect(Number(below)).toBeGreaterThan(100);
    expect(Number(height)).toBeGreaterThan(Number(below) + 100);
  });
});
