import { formatFigure } from "./statistics.ts";
import { isMoreBetter, type Measured, medianOf } from "./results.ts";
import type { Participant } from "./report.ts";

const COLUMNS = 3;
const PANEL_WIDTH = 320;
const MARGIN = 16;
const TITLE_HEIGHT = 44;
const BAR_HEIGHT = 14;
const ROW_HEIGHT = 20;
const LABEL_WIDTH = 104;
const BAR_WIDTH = 130;
const LINE_CHARACTERS = 44;

/** Readable on light and on dark pages; Stowage stands out, what the runtime can do at most is an outline. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #57606a; }
  .title { font-weight: 600; fill: #1f2328; }
  rect { fill: #8c959f; }
  .stowage rect { fill: #d4621f; }
  .stowage text { fill: #1f2328; font-weight: 600; }
  .limit rect { fill: none; stroke: #8c959f; stroke-dasharray: 3 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; }
    .title, .stowage text { fill: #f0f6fc; }
    rect { fill: #656c76; }
    .stowage rect { fill: #f0883e; }
    .limit rect { stroke: #9198a1; }
  }
`;

/** An SVG image of small bar charts, one for each metric, of those participants that have a figure. */
export function plot(title: string, measured: readonly Measured[], participants: readonly Participant[]): string {
  const panelHeight = TITLE_HEIGHT + ROW_HEIGHT * participants.length + MARGIN;
  const height = MARGIN + panelHeight * Math.ceil(measured.length / COLUMNS);
  const width = MARGIN + PANEL_WIDTH * COLUMNS;
  const panels = measured.map((each, index) => {
    const x = MARGIN + PANEL_WIDTH * (index % COLUMNS);
    const y = MARGIN + panelHeight * Math.floor(index / COLUMNS);
    return `<g transform="translate(${x} ${y})">\n${panel(each, participants)}</g>\n`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">\n`,
    `<title>${escape(title)}</title>\n<style>${STYLE}</style>\n`,
    ...panels,
    "</svg>\n",
  ].join("");
}

function panel(measured: Measured, participants: readonly Participant[]): string {
  const { metric } = measured;
  const bars = participants.flatMap(({ name, title }) => {
    const value = medianOf(measured, name);
    return value === undefined ? [] : [{ name, title: name === "limit" ? (metric.limit ?? title) : title, value }];
  });
  const longest = Math.max(...bars.map(({ value }) => value)) || 1;
  const better = isMoreBetter(metric.unit) ? "more is better" : "less is better";
  const [first, second] = wrap(`${metric.title} (${metric.unit}, ${better})`);
  const rows = bars.map(({ name, title, value }, index) => {
    const y = TITLE_HEIGHT + ROW_HEIGHT * index;
    const length = ((BAR_WIDTH * value) / longest).toFixed(1);
    return [
      `<g class="${name}"><text x="${LABEL_WIDTH - 6}" y="${y + 11}" text-anchor="end">${escape(title)}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${length}" height="${BAR_HEIGHT}"/>`,
      `<text x="${LABEL_WIDTH + Number(length) + 6}" y="${y + 11}">${formatFigure(value)}</text></g>\n`,
    ].join("");
  });
  return [
    `<text class="title" x="0" y="12">${escape(first)}</text>\n`,
    `<text class="title" x="0" y="28">${escape(second)}</text>\n`,
    ...rows,
  ].join("");
}

/** Two lines at most; the second takes what is left. */
function wrap(text: string): [string, string] {
  if (text.length <= LINE_CHARACTERS) return [text, ""];
  const end = text.lastIndexOf(" ", LINE_CHARACTERS);
  return [text.slice(0, end), text.slice(end + 1)];
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
