import type { Output } from "../../../scripts/stowage/output.ts";
import { type Report, tableOf, verdictRow } from "./report.ts";

/** Prints the medians, then which targets were met. */
export function printReport(report: Report, output: Output): void {
  const { head, rows } = tableOf(report);
  output.section(`Medians of ${report.rounds}; in brackets, how many times Stowage's figure`);
  output.table(head, rows, "nothing was measured");
  if (report.missing.length > 0) {
    output.section("Missing");
    output.fields(report.missing.map(({ title, reason }) => [title, reason]));
  }
  output.section("Targets");
  output.table(["", "bound", "measured", "", "by"], report.targets.map(verdictRow), "");
}
