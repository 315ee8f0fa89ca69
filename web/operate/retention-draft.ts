import type { RetentionRule } from "./answers.ts";
import { objection } from "./problems.ts";
import { listOf } from "./text.ts";

/** What the form of a retention rule holds while somebody writes. An empty text is no condition. */
export interface RetentionDraft {
  readonly name: string;
  readonly repository: string;
  readonly tags: string;
  readonly never: string;
  readonly mayEmpty: boolean;
  /** How the conditions are joined; as JSON, they are written by hand, and the fields below rest. */
  readonly join: "any" | "all" | "json";
  readonly newest: string;
  readonly pushedWithin: string;
  readonly pulledWithin: string;
  readonly keepTags: string;
  readonly majors: string;
  readonly minors: string;
  readonly patches: string;
  readonly prereleases: string;
  readonly json: string;
}

export const FIRST_RULE: RetentionDraft = {
  ...{ name: "", repository: "", tags: "", never: "", mayEmpty: false, join: "any" },
  ...{ newest: "", pushedWithin: "", pulledWithin: "", keepTags: "" },
  ...{ majors: "", minors: "", patches: "", prereleases: "", json: "" },
};

/** The parts of `semver`, each a field. */
const VERSION_FIELDS = ["majors", "minors", "patches", "prereleases"] as const;

/** Whether there is enough of it to ask what it would remove. */
export function isAskable(draft: RetentionDraft): boolean {
  if (draft.repository.trim() === "") return false;
  return draft.join === "json" ? draft.json.trim() !== "" : conditionsOf(draft).length > 0;
}

/** Names that mean something else in the path of a rule. */
const RESERVED = ["preview", "run"];

/** The name of a new rule, which must not replace another in silence. Throws ApiError. */
export function newNameOf(draft: RetentionDraft, taken: readonly string[]): string {
  const name = draft.name.trim();
  if (RESERVED.includes(name)) throw objection("name", `${name} has a meaning of its own: choose another`);
  if (taken.includes(name)) throw objection("name", `there is a rule ${name} already: edit that one`);
  return name;
}

/** The rule of a draft, as PUT /api/retention/{name} takes it. Throws ApiError where its JSON is none. */
export function ruleOf(draft: RetentionDraft): RetentionRule {
  const [tags, never] = [listOf(draft.tags), listOf(draft.never)];
  return {
    repository: draft.repository.trim(),
    ...(tags.length > 0 && { tags }),
    ...(never.length > 0 && { never }),
    keep: keepOf(draft),
    ...(draft.mayEmpty && { mayEmpty: true }),
  };
}

function keepOf(draft: RetentionDraft): unknown {
  if (draft.join === "json") return parseJson(draft.json);
  const conditions = conditionsOf(draft).map(({ condition }) => condition);
  return conditions.length > 1 ? { [draft.join]: conditions } : conditions[0];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw objection("json", 'is no JSON: write it as {"newest": 10}');
  }
}

interface FieldCondition {
  /** The field that it is written in; of versions, the first. */
  readonly field: keyof RetentionDraft;
  readonly condition: Readonly<Record<string, unknown>>;
}

/** In the order of the form. */
function conditionsOf(draft: RetentionDraft): FieldCondition[] {
  const conditions: FieldCondition[] = [];
  const [newest, pushedWithin, pulledWithin] = [draft.newest, draft.pushedWithin, draft.pulledWithin].map(trim);
  if (newest) conditions.push({ field: "newest", condition: { newest: countOf(newest) } });
  if (pushedWithin) conditions.push({ field: "pushedWithin", condition: { pushedWithin } });
  if (pulledWithin) conditions.push({ field: "pulledWithin", condition: { pulledWithin } });
  const tags = listOf(draft.keepTags);
  if (tags.length > 0) conditions.push({ field: "keepTags", condition: { tags } });
  const versions = VERSION_FIELDS.filter((field) => trim(draft[field]) !== "");
  if (versions.length > 0) {
    const semver = Object.fromEntries(versions.map((field) => [field, countOf(trim(draft[field]))]));
    conditions.push({ field: versions[0] ?? "majors", condition: { semver } });
  }
  return conditions;
}

const trim = (text: string): string => text.trim();

/** A number where it is one; what it else is, the registry tells. */
const countOf = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

/** The field of the form that a path in the request is about: `rule.keep.any.1.pushedWithin`. */
export function retentionFieldOf(draft: RetentionDraft): (path: string) => string | undefined {
  return (path) => {
    const [first = "", ...within] = path.replace(/^rule\./, "").split(".");
    if (first !== "keep") return Object.hasOwn(draft, first) ? first : undefined;
    if (draft.join === "json") return "json";
    const conditions = conditionsOf(draft);
    const index = within[0] === draft.join ? Number(within[1]) : 0;
    const versionField = VERSION_FIELDS.find((field) => field === within.at(-1));
    return versionField ?? conditions[index]?.field ?? "newest";
  };
}

/** The draft of a rule that is there. What the form has no fields for stays JSON. */
export function draftOf(name: string, rule: RetentionRule): RetentionDraft {
  const common = {
    ...{ ...FIRST_RULE, name, repository: rule.repository, mayEmpty: rule.mayEmpty === true },
    ...{ tags: (rule.tags ?? []).join(" "), never: (rule.never ?? []).join(" ") },
  };
  const keep = withoutNeedlessGroup(rule.keep);
  const draft = { ...common, ...fieldsOf(keep) };
  const isSame = JSON.stringify(sorted(keepOf(draft))) === JSON.stringify(sorted(keep));
  return isSame ? draft : { ...common, join: "json", json: JSON.stringify(rule.keep, undefined, 2) };
}

/** A group of one is what is in it. */
function withoutNeedlessGroup(keep: unknown): unknown {
  const { any, all } = asRecord(keep);
  const [list] = [any, all].filter(Array.isArray);
  return list?.length === 1 ? list[0] : keep;
}

function fieldsOf(keep: unknown): Partial<RetentionDraft> {
  const { any, all } = asRecord(keep);
  const join = Array.isArray(all) ? "all" : "any";
  const list: unknown[] = Array.isArray(all) ? all : Array.isArray(any) ? any : [keep];
  const conditions = asRecord(Object.assign({}, ...list.map(asRecord)));
  const versions = asRecord(conditions.semver);
  return {
    join,
    ...{ newest: textOf(conditions.newest), pushedWithin: textOf(conditions.pushedWithin) },
    ...{ pulledWithin: textOf(conditions.pulledWithin), keepTags: textOf(conditions.tags) },
    ...Object.fromEntries(VERSION_FIELDS.map((field) => [field, textOf(versions[field])])),
  };
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(" ");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** The same whatever order its members, and the conditions of its group, were written in. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const isOfTexts = value.every((entry) => typeof entry === "string");
    const list = value.map(sorted);
    return isOfTexts ? list : list.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
