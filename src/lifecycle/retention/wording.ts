const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** Parts that a sentence takes; what comes after them is only counted. */
const PARTS_MAX = 4;

/** `3 days ago`, in the largest unit that fits. A time to come, by clocks that disagree, is just now. */
export function ago(ms: number): string {
  for (const [unit, size] of UNITS) {
    const amount = Math.floor(ms / size);
    if (amount >= 1) return `${amount} ${unit}${amount === 1 ? "" : "s"} ago`;
  }
  return "just now";
}

/** The parts, each once, the first few of them. */
export function listed(parts: readonly string[], separator = ", "): string {
  const distinct = [...new Set(parts)];
  const left = distinct.length - PARTS_MAX;
  return distinct.slice(0, PARTS_MAX).join(separator) + (left > 0 ? `${separator}and ${left} more` : "");
}

/** What is counted: a word for one and for many, and within what. */
export interface Counted {
  readonly one: string;
  readonly many: string;
  readonly of: string;
}

function newest(count: number, counted?: Counted): string {
  const number = count === 1 ? "" : `${count} `;
  const noun = counted ? ` ${count === 1 ? counted.one : counted.many}${counted.of}` : "";
  return `the ${number}newest${noun}`;
}

/** `one of the 3 newest patches of 1.4`, `the newest patch of 1.4`, `one of the 3 newest`. */
export function oneOf(count: number, counted?: Counted): string {
  return (count === 1 ? "" : "one of ") + newest(count, counted);
}

/** What goes with a not: `among the 3 newest patches of 1.4`, `the newest patch of 1.4`. */
export function among(count: number, counted?: Counted): string {
  return (count === 1 ? "" : "among ") + newest(count, counted);
}
