import type { Report } from "./report.ts";

/** The plots: the metrics of each by their ids. */
const PLOTS = [
  {
    file: "transfers",
    title: "Pushes and pulls",
    metrics: /^(layer|layer-put|layers|images|clients|skopeo)\.(?!broken)/,
  },
  { file: "requests", title: "Requests in a second", metrics: /^requests\..*\.rate$/ },
  { file: "latency", title: "How long 99 in 100 requests take at most", metrics: /^requests\..*\.p99$/ },
  { file: "memory", title: "Peak memory of the whole process tree", metrics: /^memory\./ },
] as const;

/** The plots that a run has figures for. */
export function plotsOf({ measured: all }: Report): { file: string; title: string; measured: Report["measured"] }[] {
  return PLOTS.map(({ file, title, metrics }) => {
    return { file, title, measured: all.filter(({ metric }) => metrics.test(metric.id)) };
  }).filter(({ measured }) => measured.length > 0);
}
