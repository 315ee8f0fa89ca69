import { formatFigure } from "./statistics.ts";
import { type Measured, medianOf, type ServerName } from "./results.ts";
import type { Verdict } from "./targets.ts";

/** A server that took part. */
export interface Participant {
  readonly name: ServerName;
  readonly title: string;
  readonly version: string;
}

/** A run, whole: what results.json holds. */
export interface Report {
  readonly date: string;
  readonly commit: string;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly system: string;
  };
  /** How often each was measured; a round before them was discarded, except in a quick run. */
  readonly rounds: number;
  readonly quick: boolean;
  readonly participants: readonly Participant[];
  readonly missing: readonly { readonly title: string; readonly reason: string }[];
  readonly measured: readonly Measured[];
  readonly targets: readonly Verdict[];
}

/** The report in JSON, each metric's rounds on one line. */
export function toJson(report: Report): string {
  const measured = report.measured.map(({ metric, rounds }) => {
    const figures = Object.entries(rounds).map(([name, values]) => [name, values.map(rounded)]);
    return { ...metric, rounds: Object.fromEntries(figures) as object };
  });
  const text = JSON.stringify({ ...report, measured }, null, 2);
  return `${text.replace(/\[\s+([\d\s.,]+?)\s+\]/g, (_, list: string) => `[${list.replace(/\s+/g, " ")}]`)}\n`;
}

/** Rows of text: a metric each, with the medians of those that took part, and how many times Stowage's the others' are. */
export function tableOf({ participants, measured }: Report): { head: string[]; rows: string[][] } {
  return {
    head: ["", "unit", ...participants.map(({ title }) => title)],
    rows: measured.map((each) => [
      each.metric.title,
      each.metric.unit,
      ...participants.map(({ name }) => formatCell(each, name)),
    ]),
  };
}

/** `met`, `missed`, and the value and bound that say so. */
export function verdictRow({ title, bound, value, worst, met }: Verdict): [string, string, string, string, string] {
  const figure = value === undefined ? "" : formatFigure(value);
  return [title, bound, figure, met === undefined ? "not measured" : met ? "met" : "missed", worst ?? ""];
}

function formatCell(measured: Measured, name: ServerName): string {
  const [value, own] = [medianOf(measured, name), medianOf(measured, "stowage")];
  if (value === undefined) return "";
  if (name === "stowage" || own === undefined || own === 0) return formatFigure(value);
  return `${formatFigure(value)} (${(value / own).toFixed(2)})`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
