import * as v from "valibot";
import { OciError } from "../../oci/error.ts";
import { isRepositoryPattern, PATTERN_ADVICE } from "../../policy/pattern.ts";
import {
  conditionAt,
  CONDITIONS_MAX,
  countConditions,
  exactObject,
  SomeTagPatterns,
  TagPatternList,
} from "./condition-schema.ts";
import type { Condition, RetentionRule } from "./rule.ts";

const KEEP_DESCRIPTION =
  'The condition of what stays: {"all": [...]} or {"any": [...]} of conditions, {"tags": [patterns]}, {"newest": 10}, ' +
  '{"pushedWithin": "30d"}, {"pulledWithin": "30d"}, or {"semver": {"majors": 2, "minors": "all", "patches": 3, "prereleases": 0}}, ' +
  "of whose numbers each may be left out.";

/**
 * A condition nests, and a schema that refers to itself cannot stand in the OpenAPI document as it is: there, this is
 * anything, with a description. Here its issues come with their whole path.
 */
const Keep = v.pipe(
  v.unknown(),
  v.description(KEEP_DESCRIPTION),
  v.rawTransform(({ dataset, addIssue, NEVER }): Condition => {
    const parsed = v.safeParse(conditionAt(1), dataset.value);
    if (parsed.success) return parsed.output;
    for (const { message, path } of parsed.issues) addIssue({ message, path });
    return NEVER;
  }),
  v.check((keep) => countConditions(keep) <= CONDITIONS_MAX, `has more than ${CONDITIONS_MAX} conditions`),
);

/** A rule as JSON → a {@link RetentionRule}. Each issue has its path; what is not known is an issue. */
export const RetentionRuleSchema = v.pipe(
  exactObject({
    repository: v.pipe(
      v.string(PATTERN_ADVICE),
      v.guard(isRepositoryPattern, PATTERN_ADVICE),
      v.description("Which repositories: a repository pattern."),
    ),
    tags: v.pipe(v.optional(SomeTagPatterns, ["*"]), v.description("The tags that the rule governs: all by default.")),
    never: v.pipe(v.optional(TagPatternList, []), v.description("Tags that no rule may remove.")),
    keep: Keep,
    mayEmpty: v.pipe(
      v.optional(v.boolean("use true or false"), false),
      v.description("Whether the rule may leave a repository without any tag."),
    ),
  }),
  v.transform((rule): RetentionRule => rule),
);

/**
 * Reads a rule: from a request, or as it was stored. Bounded in time and depth, whatever it is given.
 * @throws OciError REQUEST_INVALID, whose message begins with the path of what is wrong.
 */
export function parseRetentionRule(value: unknown): RetentionRule {
  const parsed = v.safeParse(RetentionRuleSchema, value);
  if (parsed.success) return parsed.output;
  const detail = parsed.issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: issue.message }));
  const [{ path, message } = { path: "", message: "is invalid" }] = detail;
  throw new OciError("REQUEST_INVALID", { message: path === "" ? message : `${path}: ${message}`, detail });
}
