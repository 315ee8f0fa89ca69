import { plural } from "../format.ts";

/** What a condition keeps, in words: `the 10 newest, or pushed within 30d`. What is not understood stands as it is. */
export function describeKeep(keep: unknown): string {
  return words(keep) ?? JSON.stringify(keep);
}

function words(keep: unknown): string | undefined {
  const [[kind, value] = ["", undefined], ...more] = entriesOf(keep);
  if (more.length > 0) return undefined;
  switch (kind) {
    case "any":
      return joined(value, ", or ");
    case "all":
      return joined(value, ", and ");
    case "tags":
      return Array.isArray(value) ? `tags like ${value.join(", ")}` : undefined;
    case "newest":
      return typeof value === "number" ? `the ${value === 1 ? "newest" : `${value} newest`}` : undefined;
    case "pushedWithin":
      return typeof value === "string" ? `pushed within ${value}` : undefined;
    case "pulledWithin":
      return typeof value === "string" ? `pulled within ${value}` : undefined;
    case "semver":
      return versions(entriesOf(value));
    default:
      return undefined;
  }
}

function joined(list: unknown, by: string): string | undefined {
  if (!Array.isArray(list)) return undefined;
  const parts = list.map((inner: unknown) => {
    const text = words(inner);
    const isGroup = entriesOf(inner).some(([kind]) => kind === "any" || kind === "all");
    return isGroup && text !== undefined ? `(${text})` : text;
  });
  return parts.includes(undefined) ? undefined : parts.join(by);
}

const LEVELS: Readonly<Record<string, string>> = {
  majors: "major",
  minors: "minor",
  patches: "patch",
  prereleases: "pre-release",
};

function versions(limits: readonly [string, unknown][]): string {
  if (limits.length === 0) return "every version";
  const parts = limits.map(([level, limit]) => {
    const one = LEVELS[level] ?? level;
    const many = one === "patch" ? "patches" : `${one}s`;
    return typeof limit === "number" ? plural(limit, one, many) : `${String(limit)} ${many}`;
  });
  return `the last versions (${parts.join(", ")})`;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}
