import type { Context } from "../context.ts";
import * as metadata from "../metadata/retention-rules.ts";
import type { RecordedRetentionRule } from "../metadata/retention-rules.ts";
import { OciError } from "../oci/error.ts";
import { type Page, type PageRequest, toPage } from "../oci/page.ts";
import type { Actor } from "../policy/actor.ts";
import { mayOverlap } from "../policy/pattern.ts";
import { assertNoMirrorRule, mirrorRules } from "./mirror-rules.ts";
import { parseRetentionRule } from "./retention/rule-schema.ts";

/** A rule that is stored, or that is there because of the settings. */
export interface ListedRetentionRule extends RecordedRetentionRule {
  /** Of one that is not stored: the upstream whose mirrors it is for. */
  readonly upstream: string | null;
}

/** Rules by name, those included that follow from the settings. One D1 query. */
export async function listRetentionRules(
  { db, config }: Context,
  page: PageRequest,
): Promise<Page<ListedRetentionRule>> {
  const stored = (await metadata.listRetentionRules(db, page)).map((rule) => ({ ...rule, upstream: null }));
  const implied = mirrorRules(config.upstreams).filter(({ name }) => name > page.last);
  const rules = [...stored, ...implied].sort((a, b) => (a.name < b.name ? -1 : 1));
  return toPage(rules.slice(0, page.limit + 1), page.limit, ({ name }) => name);
}

/** The rule of a name as it is now, and the rules that it protects nothing from. One D1 query. */
async function readBefore(db: D1Database, name: string): Promise<metadata.ReplacedRule> {
  const rules = await metadata.listRetentionRules(db, { last: "", limit: metadata.RETENTION_RULES_MAX });
  const replaced = rules.find((rule) => rule.name === name);
  return {
    replaced,
    unconcerned: rules.filter((rule) => replaced && !mayOverlap(rule.repository, replaced.repository)),
  };
}

/**
 * Adds a rule, or replaces the one of its name. It removes nothing until someone has previewed it; nor does, if it replaces one,
 * any other that may be for a repository of that one. Two D1 round trips.
 * @throws OciError REQUEST_INVALID for what is no rule; CONFLICT where there are too many; DENIED for one that follows from the settings.
 */
export async function setRetentionRule(
  { db, now }: Context,
  name: string,
  given: unknown,
  actor: Actor,
): Promise<RecordedRetentionRule> {
  assertNoMirrorRule(name);
  const { repository } = parseRetentionRule(given);
  const rule = { name, repository, rule: given, createdAt: now(), createdBy: actor.name };
  const entry = { action: "retention.set", actor, repository, detail: { name, rule: given } } as const;
  const saved = await metadata.upsertRetentionRule(db, rule, await readBefore(db, name), entry);
  if (saved) return saved;
  const message = `there are ${metadata.RETENTION_RULES_MAX} retention rules already: join some`;
  throw new OciError("CONFLICT", { message });
}

/**
 * Removes a rule, and so what it protects from others: those remove nothing until they are previewed again. Two D1 round trips.
 * Throws NOT_FOUND; DENIED for one that follows from the settings.
 */
export async function removeRetentionRule({ db, now }: Context, name: string, actor: Actor): Promise<void> {
  assertNoMirrorRule(name);
  const entry = { action: "retention.remove", actor, detail: { name } } as const;
  if (await metadata.deleteRetentionRule(db, name, await readBefore(db, name), entry, now())) return;
  throw noSuchRule(name);
}

/** What is thrown where there is no rule of that name. */
export function noSuchRule(name: string): OciError {
  return new OciError("NOT_FOUND", { message: `there is no retention rule ${name}` });
}
