import { plotsOf } from "./plots.ts";
import { type Report, tableOf, verdictRow } from "./report.ts";

const BEGIN = "<!-- results -->";
const END = "<!-- end of results -->";

/** The page with the results between its marks. Throws where it has no marks. */
export function withResults(page: string, report: Report): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page lacks the marks ${BEGIN} and ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${formatResults(report)}\n${page.slice(end)}`;
}

function formatResults(report: Report): string {
  const { processor, cores, memoryGb, system } = report.machine;
  const { head, rows } = tableOf(report);
  const participants = report.participants.map(({ title, version }) => `- ${title}: ${version}`);
  const missing = report.missing.map(({ title, reason }) => `- ${title}: not measured, ${reason}`);
  return [
    `${report.date.slice(0, 10)}, commit ${report.commit}; ${processor}, ${cores} cores, ${memoryGb} GB, ${system}; medians of ${report.rounds} rounds.`,
    "",
    ...participants,
    ...missing,
    "",
    formatTable(["target", "bound", "measured", "", "by"], report.targets.map(verdictRow)),
    "In brackets: how many times Stowage's figure.",
    "",
    formatTable(head, rows),
    ...plotsOf(report).map(({ file, title }) => `![${title}](benchmarks/${file}.svg)\n`),
    "Every round's figure is in [results.json](benchmarks/results.json).",
    "",
  ].join("\n");
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}
