import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withResults } from "./markdown.ts";
import { plot } from "./plot.ts";
import { type Report, toJson } from "./report.ts";

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

/** Writes results.json and the plots into the folder, and the tables into the page that lies beside it, if there is one. */
export function writeReport(folder: string, report: Report): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "results.json"), toJson(report));
  for (const { file, title, metrics } of PLOTS) {
    const measured = report.measured.filter(({ metric }) => metrics.test(metric.id));
    if (measured.length > 0) writeFileSync(join(folder, `${file}.svg`), plot(title, measured, report.participants));
  }
  const page = `${folder}.md`;
  if (existsSync(page)) writeFileSync(page, withResults(readFileSync(page, "utf8"), report));
}
