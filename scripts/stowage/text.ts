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

const SIZES = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** `72 MiB`, `1.15 GiB`: three figures, in steps of 1024. */
export function formatSize(bytes: number): string {
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), SIZES.length - 1);
  const size = bytes / 1024 ** step;
  return `${size < 100 ? Number(size.toPrecision(3)) : Math.round(size)} ${SIZES[step] ?? ""}`;
}

/** `1 manifest`, `2 manifests`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
