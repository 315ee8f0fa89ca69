import * as v from "valibot";
import { parseDuration } from "../../oci/duration.ts";
import { isTagPattern } from "../../policy/pattern.ts";
import type { Condition, Limit } from "./rule.ts";

/** Conditions within conditions: an `any` of `all`s, and what they hold, take three. */
export const DEPTH_MAX = 4;
/** Conditions of one list. */
export const LIST_MAX = 16;
/** Conditions of one rule in all: each looks at every tag that the rule governs. */
export const CONDITIONS_MAX = 32;
/** Patterns of one list. */
export const PATTERNS_MAX = 64;
/** More is no limit; the word for that is "all". */
export const COUNT_MAX = 10_000;

const DURATION_MAX_MS = 36_500 * 86_400_000;
/** Pulls are recorded once a day, so that a shorter time than this could not tell anything. */
const PULLED_WITHIN_MIN_MS = 86_400_000;

/** An object of these keys alone: a misspelt one would silently keep less, or more, than its author meant. */
export function exactObject<const E extends v.ObjectEntries>(entries: E) {
  const keys = Object.keys(entries).join(", ");
  return v.strictObject(entries, ({ expected }) => {
    if (expected === "never") return `is not known: use ${keys}`;
    return expected.startsWith('"') ? "is missing" : `use an object of ${keys}`;
  });
}

const PATTERNS_ADVICE = `use a list of 1 to ${PATTERNS_MAX} tag patterns`;

/** Each is a tag in which `*` stands for any characters. */
export const TagPatternList = v.pipe(
  v.array(
    v.pipe(
      v.string("use a tag pattern, a text"),
      v.guard(isTagPattern, "use a tag in which * stands for any characters, of up to 50 in all"),
    ),
    PATTERNS_ADVICE,
  ),
  v.maxLength(PATTERNS_MAX, PATTERNS_ADVICE),
);

/** The same, of at least one. */
export const SomeTagPatterns = v.pipe(TagPatternList, v.minLength(1, PATTERNS_ADVICE));

const count = (min: number, message: string) =>
  v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(COUNT_MAX, message));

function limit(min: number, whenMissing: Limit) {
  const message = `use a whole number from ${min} to ${COUNT_MAX}, or "all"`;
  return v.optional(v.union([v.literal("all"), count(min, message)], message), whenMissing);
}

function duration(minMs: number, advice: string) {
  return v.pipe(
    v.string(advice),
    v.transform((text) => parseDuration(text) ?? -1),
    v.minValue(minMs, advice),
    v.maxValue(DURATION_MAX_MS, "use a duration of 36500d or less"),
  );
}

const Versions = exactObject({
  ...{ majors: limit(1, "all"), minors: limit(1, "all"), patches: limit(1, "all") },
  prereleases: limit(0, 0),
});

/** To valibot, a list is an object too; an empty one would keep every version. */
const NoList = v.custom<v.InferInput<typeof Versions>>((input) => !Array.isArray(input), "use an object, not a list");

/** By the key that tells what a condition is. */
const LEAVES = {
  tags: v.pipe(
    exactObject({ tags: SomeTagPatterns }),
    v.transform(({ tags }): Condition => ({ kind: "tags", patterns: tags })),
  ),
  newest: v.pipe(
    exactObject({ newest: count(1, `use a whole number from 1 to ${COUNT_MAX}`) }),
    v.transform(({ newest }): Condition => ({ kind: "newest", count: newest })),
  ),
  pushedWithin: v.pipe(
    exactObject({ pushedWithin: duration(1, "use a duration such as 12h or 30d") }),
    v.transform(({ pushedWithin }): Condition => ({ kind: "pushedWithin", withinMs: pushedWithin })),
  ),
  pulledWithin: v.pipe(
    exactObject({ pulledWithin: duration(PULLED_WITHIN_MIN_MS, "use a duration such as 30d, of 1d or more") }),
    v.transform(({ pulledWithin }): Condition => ({ kind: "pulledWithin", withinMs: pulledWithin })),
  ),
  semver: v.pipe(
    exactObject({ semver: v.pipe(NoList, Versions) }),
    v.transform(({ semver }): Condition => ({ kind: "semver", ...semver })),
  ),
} satisfies Record<string, v.GenericSchema<unknown, Condition>>;

type Kind = "all" | "any" | keyof typeof LEAVES;
const KINDS: readonly string[] = ["all", "any", ...Object.keys(LEAVES)] satisfies string[];

const isKind = (key: string): key is Kind => KINDS.includes(key);

/** A condition at this depth, the outermost being 1. What lies too deep is never looked into, so that no input overflows. */
export function conditionAt(depth: number): v.GenericSchema<unknown, Condition> {
  return v.lazy((input) => schemaFor(input, depth));
}

function schemaFor(input: unknown, depth: number): v.GenericSchema<unknown, Condition> {
  const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
  const [kind, ...others] = isObject ? Object.keys(input).filter(isKind) : [];
  if (kind === undefined) return refusal(`use an object of one of ${KINDS.join(", ")}`);
  if (others.length > 0) return refusal(`has ${[kind, ...others].join(" and ")}: join them by "all" or "any"`);
  return kind === "all" || kind === "any" ? groupAt(kind, depth) : LEAVES[kind];
}

function groupAt(kind: "all" | "any", depth: number): v.GenericSchema<unknown, Condition> {
  if (depth >= DEPTH_MAX) return refusal(`lies too deep: a rule has up to ${DEPTH_MAX} conditions within each other`);
  const advice = `use a list of 1 to ${LIST_MAX} conditions`;
  const isList = v.pipe(v.array(v.unknown(), advice), v.minLength(1, advice), v.maxLength(LIST_MAX, advice));
  const list = v.pipe(isList, v.array(conditionAt(depth + 1)));
  return kind === "all"
    ? v.pipe(
        exactObject({ all: list }),
        v.transform(({ all }): Condition => ({ kind, conditions: all })),
      )
    : v.pipe(
        exactObject({ any: list }),
        v.transform(({ any }): Condition => ({ kind, conditions: any })),
      );
}

const refusal = (message: string): v.GenericSchema<unknown, Condition> => v.custom<Condition>(() => false, message);

/** How many conditions this one is, with all within it. */
export function countConditions(condition: Condition): number {
  if (condition.kind !== "all" && condition.kind !== "any") return 1;
  return condition.conditions.reduce((sum, inner) => sum + countConditions(inner), 1);
}
