import * as v from "valibot";
import { RetentionRuleSchema } from "../lifecycle/retention/rule-schema.ts";
import type { RepositoryReport } from "../lifecycle/retention-runs.ts";

const { repository, tags, never, keep, mayEmpty } = RetentionRuleSchema.pipe[0].entries;

const wordsOf = (schema: v.GenericSchema): string => v.getDescription(schema) ?? "";

const Texts = v.array(v.string("use a tag pattern, a text"), "use a list of tag patterns");

/**
 * A rule as it is given and stored: what {@link RetentionRuleSchema} objects to is refused, and what it makes of the rule is
 * left aside. So an admin reads the rule in the same words again.
 */
export const GivenRule = v.pipe(
  v.strictObject({
    repository: v.pipe(v.string("give a repository pattern"), v.description(wordsOf(repository))),
    tags: v.optional(v.pipe(Texts, v.description(wordsOf(tags)))),
    never: v.optional(v.pipe(Texts, v.description(wordsOf(never)))),
    keep: v.pipe(v.unknown(), v.description(wordsOf(keep))),
    mayEmpty: v.optional(v.pipe(v.boolean("use true or false"), v.description(wordsOf(mayEmpty)))),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { issues = [] } = v.safeParse(RetentionRuleSchema, dataset.value);
    for (const { message, path } of issues) addIssue({ message, path });
  }),
);

/** A rule in an answer. */
export const Rule = v.object({
  name: v.string(),
  rule: v.pipe(v.record(v.string(), v.unknown()), v.description("As it was given.")),
  upstream: v.pipe(
    v.nullable(v.string()),
    v.description(
      "Of a rule that is not stored: the upstream whose mirrors it is for, by the setting UPSTREAMS. It runs without a preview.",
    ),
  ),
  previewedAt: v.pipe(v.nullable(v.string()), v.description("Until it was previewed, a stored rule removes nothing.")),
  createdAt: v.pipe(v.nullable(v.string()), v.description("Null of a rule that is not stored, as is createdBy.")),
  createdBy: v.nullable(v.string()),
});

/** What becomes, or would become, of repositories. */
export const Report = v.object({
  repositories: v.array(
    v.object({
      repository: v.string(),
      tags: v.array(v.object({ tag: v.string(), digest: v.string(), keep: v.boolean(), reason: v.string() })),
      manifests: v.pipe(
        v.array(v.object({ digest: v.string(), size: v.number(), reason: v.string() })),
        v.description("What nothing holds any more. It goes when untagged manifests have had their time."),
      ),
      bytes: v.pipe(v.number(), v.description("Freed with that; what other repositories hold too is not.")),
      skipped: v.optional(v.pipe(v.string(), v.description("Why nothing was decided here."))),
    }),
  ),
  bytes: v.number(),
  isComplete: v.pipe(v.boolean(), v.description("If not, there is more: ask again, with last.")),
  last: v.optional(v.pipe(v.string(), v.description("Where the next call goes on."))),
});

/** One repository of a {@link Report}. */
export function toRepositoryAnswer({ tags: decisions, manifests, ...report }: RepositoryReport) {
  return {
    ...{ repository: report.repository, bytes: report.bytes },
    tags: decisions.map(({ tag, digest, keep: isKept, reason }) => ({ tag, digest, keep: isKept, reason })),
    manifests: [...manifests],
    ...(report.skipped !== undefined && { skipped: report.skipped }),
  };
}
