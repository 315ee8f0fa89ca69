import type { Context } from "../context.ts";
import type { ImmutableTagsRule } from "../metadata/immutable-tags.ts";
import { listTagUses, type TagUse } from "../metadata/retention.ts";
import {
  findRetentionPlan,
  type RecordedRetentionRule,
  type RetentionScope,
  type RuledRepository,
} from "../metadata/retention-rules.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { matchesRepository, matchesTag } from "../policy/pattern.ts";
import { mirrorRules, rangeOfMirrorRule } from "./mirror-rules.ts";
import { type Decision, decideTags } from "./retention/decision.ts";
import { parseRetentionRule } from "./retention/rule-schema.ts";
import { type RetentionRule, retentionRulesFor } from "./retention/rule.ts";

/** Repositories of one look. */
const PAGE = 100;

/** Tags of one look. A repository that has more is passed over: its tags would not fit into the Worker's memory beside all else. */
export const TAGS_MAX = 20_000;

/** A rule that was read. */
export interface NamedRule extends Pick<RecordedRetentionRule, "name" | "repository" | "previewedAt" | "createdAt"> {
  /** Of one that follows from the settings: it is for repositories that mirror this upstream's, and no others. */
  readonly upstream: string | null;
  readonly rule: RetentionRule;
}

/** Whether the schedule lets a rule remove: what the settings say needs no preview. */
export const isRunning = ({ upstream, previewedAt }: NamedRule): boolean => upstream !== null || previewedAt !== null;

/** Whether a rule removes here; any other only protects what it would keep. */
export type IsRemover = (rule: NamedRule) => boolean;

/** A repository, with all that decides on its tags. */
export interface Turn {
  readonly repository: RepositoryName;
  /** Undefined: too many. */
  readonly tags: readonly TagUse[] | undefined;
  /** Those for this repository. */
  readonly rules: readonly NamedRule[];
  readonly isRemover: IsRemover;
  readonly immutableTags: readonly ImmutableTagsRule[];
}

/** Whose turn it is. */
export interface Round {
  readonly scope: RetentionScope;
  /** Rules beside those that are stored, and those that follow from the settings. */
  readonly given?: readonly NamedRule[];
  readonly isRemover: IsRemover;
  /** Repositories after this name. */
  readonly after: string;
  /** The most looks: each reads up to {@link PAGE} repositories, or {@link TAGS_MAX} tags. */
  readonly looks: number;
  /** Told of all rules in each look; it may throw. */
  readonly inspect?: (rules: readonly NamedRule[]) => void;
}

function toNamedRule({ rule, ...rest }: RecordedRetentionRule & { readonly upstream: string | null }): NamedRule {
  return { ...rest, rule: parseRetentionRule(rule) };
}

/** Those of the rules that are for a repository, in their order. */
function rulesFor(rules: readonly NamedRule[], { name, upstream }: RuledRepository): NamedRule[] {
  return retentionRulesFor(rules, name).filter((rule) => rule.upstream === null || rule.upstream === upstream);
}

/**
 * Gives repositories their turn, by name, until `take` says that it is enough. Two D1 round trips for each look.
 * @returns the repository whose turn was the last; undefined when all have had theirs.
 */
export async function takeTurns(
  { db, config }: Pick<Context, "db" | "config">,
  round: Round,
  take: (turn: Turn) => Promise<"go on" | "enough">,
): Promise<string | undefined> {
  const { isRemover, given = [] } = round;
  const mirrors = mirrorRules(config.upstreams);
  const [implied, ranges] = [mirrors.map(toNamedRule), mirrors.map(rangeOfMirrorRule)];
  let { after } = round;
  for (let look = 0; look < round.looks; look += 1) {
    const plan = await findRetentionPlan(db, round.scope, ranges, { after, limit: PAGE });
    const rules = [...plan.rules.map((rule) => toNamedRule({ ...rule, upstream: null })), ...implied];
    round.inspect?.(rules);
    const repositories = plan.repositories.slice(0, PAGE);
    if (repositories.length === 0) return undefined;
    const names = repositories.map(({ name }) => name);
    const shares = shareOut(repositories, await listTagUses(db, names, TAGS_MAX + 1));
    for (const { repository, tags } of shares) {
      const own = rulesFor([...rules, ...given], repository);
      const { immutableTags } = plan;
      const taken = await take({ repository: repository.name, tags, rules: own, isRemover, immutableTags });
      after = repository.name;
      if (taken === "enough") return after;
    }
    if (shares.length === repositories.length && plan.repositories.length <= PAGE) return undefined;
  }
  return after;
}

/** The repositories whose tags were all read; the first, without its tags, where they alone are too many. */
function shareOut(
  repositories: readonly RuledRepository[],
  uses: readonly (TagUse & { readonly repository: RepositoryName })[],
): { repository: RuledRepository; tags: readonly TagUse[] | undefined }[] {
  const cut = uses.length > TAGS_MAX ? uses.at(-1)?.repository : undefined;
  const end = repositories.findIndex(({ name }) => name === cut);
  const complete = cut === undefined ? repositories : repositories.slice(0, end);
  if (complete.length === 0) return repositories.slice(0, 1).map((repository) => ({ repository, tags: undefined }));
  const byRepository = Map.groupBy(uses, ({ repository }) => repository);
  return complete.map((repository) => ({ repository, tags: byRepository.get(repository.name) ?? [] }));
}

/** Decides on tags of a repository; `tags` are as they were read last. */
export function decideOn(
  { repository, rules, isRemover, immutableTags }: Turn,
  tags: readonly TagUse[],
  now: number,
): Decision[] {
  const immutable = immutableTags.filter((rule) => matchesRepository(rule.repository, repository));
  return decideTags({
    tags: tags.map(({ tag, digest, pushedAt, pulledAt }) => ({
      ...{ tag, digest, pushedAt, pulledAt: pulledAt ?? undefined },
      immutable: immutable.some(({ exceptTags }) => !exceptTags.some((pattern) => matchesTag(pattern, tag))),
    })),
    rules: rules.map(({ rule }) => rule),
    names: rules.map(({ name }) => name),
    removers: new Set(rules.flatMap((rule, index) => (isRemover(rule) ? [index] : []))),
    now,
  });
}
