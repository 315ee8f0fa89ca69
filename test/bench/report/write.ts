import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withResults } from "./markdown.ts";
import { plot } from "./plot.ts";
import { plotsOf } from "./plots.ts";
import { type Report, toJson } from "./report.ts";

/** Writes results.json and the plots into the folder, and the tables into the page that lies beside it, if there is one. */
export function writeReport(folder: string, report: Report): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "results.json"), toJson(report));
  for (const { file, title, measured } of plotsOf(report)) {
    writeFileSync(join(folder, `${file}.svg`), plot(title, measured, report.participants));
  }
  const page = `${folder}.md`;
  if (existsSync(page)) writeFileSync(page, withResults(readFileSync(page, "utf8"), report));
}
