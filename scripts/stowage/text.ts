const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A text of others' as it may stand on a terminal: without what would move the cursor or turn the writing round. */
export function plain(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`);
}

/** The same of several lines. */
export function plainLines(text: string): string {
  return text.split("\n").map(plain).join("\n");
}

/** A document that means the same, and has nothing of this either: JSON's own escapes leave most of it as it is. */
export function plainJson(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split("\n");
  return lines.map((line) => line.replace(UNSAFE, escapeUnits)).join("\n");
}

function escapeUnits(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

const RELATIVE = new Intl.RelativeTimeFormat("en");
const UNITS = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** `3 days ago`, `in 2 hours`, for an RFC 3339 time. */
export function relativeTime(time: string, now: Date): string {
  const seconds = (Date.parse(time) - now.getTime()) / 1000;
  if (Number.isNaN(seconds)) return plain(time);
  const [unit, length] = UNITS.find(([, unitSeconds]) => Math.abs(seconds) >= unitSeconds) ?? [undefined, 1];
  if (unit !== undefined) return RELATIVE.format(Math.round(seconds / length), unit);
  return seconds > 0 ? "in less than a minute" : "just now";
}

const SIZES = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** `75.5 MB`: three figures, in steps of a thousand. */
export function formatSize(bytes: number): string {
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), SIZES.length - 1);
  return `${Number((bytes / 1000 ** step).toPrecision(3))} ${SIZES[step] ?? ""}`;
}
