import { expect, test } from "vitest";
import { type Measured, type Metric, Results, type ServerName } from "../../bench/report/results.ts";
import { judge, type Target, TARGETS } from "../../bench/report/targets.ts";
import { FULL } from "../../bench/plan.ts";
import { workloadsOf } from "../../bench/workloads/workloads.ts";

const TIME: Metric = { id: "layer.push", title: "push", unit: "s" };
const RATES: readonly Metric[] = [1, 16].map((number) => {
  return { id: `requests.get.${number}.rate`, title: `GET, ${number}`, unit: "requests/s" };
});

/** Figures by server and round, the same of each metric but for a factor that grows. */
function measuredOf(metrics: readonly Metric[], rounds: Partial<Record<ServerName, number[]>>): readonly Measured[] {
  const results = new Results();
  for (const [index, metric] of metrics.entries()) {
    for (const [server, values] of Object.entries(rounds)) {
      for (const value of values) results.add(metric, server as ServerName, value + index);
    }
  }
  return results.list();
}

const slower: Target = { title: "t", metrics: /^layer\./, against: "limit", atMost: 1.15 };

test.each([
  ["met at its bound", [1.15], true],
  ["missed beyond it", [1.16], false],
  ["judged by the median, not by the worst round", [9, 1.1, 1], true],
])("a target is %s", (_, stowage, met) => {
  expect(judge(slower, measuredOf([TIME], { stowage, limit: [1] }))).toMatchObject({ bound: "≤ 1.15", met });
});

test("a target without figures of both is not judged", () => {
  for (const rounds of [{ stowage: [1] }, { limit: [1] }, {}]) {
    expect(judge(slower, measuredOf([TIME], rounds))).toEqual({ title: "t", bound: "≤ 1.15" });
  }
});

test("a target of several metrics is judged by the worst, and names it", () => {
  const target: Target = { title: "t", metrics: /^requests\./, against: "limit", atLeast: 0.6 };
  // 6 of 10, then 7 of 11.
  const verdict = judge(target, measuredOf(RATES, { stowage: [6], limit: [10] }));
  expect(verdict).toEqual({ title: "t", bound: "≥ 0.6", value: 0.6, worst: "GET, 1", met: true });
  const bound: Target = { title: "t", metrics: /^requests\./, atMost: 6 };
  expect(judge(bound, measuredOf(RATES, { stowage: [6] }))).toMatchObject({ value: 7, worst: "GET, 16", met: false });
});

test("each target is about something that is measured", () => {
  const ids = workloadsOf({ ...FULL, layerBytes: 1_000_000 }, "unused").flatMap(({ name, metrics }) => {
    return [`memory.${name}`, ...metrics.map(({ id }) => id)];
  });
  expect(new Set(ids).size).toBe(ids.length);
  const unmatched = TARGETS.filter(({ metrics }) => !ids.some((id) => metrics.test(id)));
  expect(unmatched).toEqual([]);
});
