const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Bytes as docker writes them: decimal units, three digits. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  return `${value.toLocaleString("en", { maximumFractionDigits: digits })} ${UNITS[unit] ?? ""}`;
}

/** A count, with separators; from a million on, rounded. */
export function formatCount(count: number): string {
  return count < 1_000_000
    ? count.toLocaleString("en")
    : count.toLocaleString("en", { notation: "compact", maximumFractionDigits: 1 });
}

/** Dollars and cents. */
export const formatDollars = (dollars: number): string =>
  dollars.toLocaleString("en", { style: "currency", currency: "USD" });

const STEPS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** How long ago, or until when: `3 days ago`, `in 2 hours`. */
export function formatAge(time: string, now = Date.now()): string {
  const seconds = (Date.parse(time) - now) / 1000;
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return seconds > 0 ? "in a moment" : "just now";
}

/** The whole time, for who wants to know. */
export const formatTime = (time: string): string =>
  new Date(time).toLocaleString("en", { dateStyle: "medium", timeStyle: "medium" });

/** `sha256:0123456789ab…` as docker shortens it: twelve digits. */
export function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, 12);
}

/** `linux/arm64/v8`. */
export function formatPlatform({
  os,
  architecture,
  variant,
}: {
  os: string;
  architecture: string;
  variant?: string;
}): string {
  return [os, architecture, variant].filter((part) => part !== undefined && part !== "").join("/");
}

/** One thing, two things. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

/** An actor for people: `account:alice` is alice, what is no account says what it is. */
export const formatActor = (actor: string): string => actor.replace(/^account:/, "");
