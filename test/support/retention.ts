import { env } from "cloudflare:workers";
import { answerOf, callApi, freshName } from "./api.ts";
import { pushImage } from "./images.ts";
import { expectStatus, freshRepository, send } from "./registry.ts";
import { rows } from "./uploads.ts";

/** A rule as the API takes it. */
export interface Rule {
  readonly repository: string;
  readonly tags?: readonly string[];
  readonly never?: readonly string[];
  readonly keep: object;
  readonly mayEmpty?: boolean;
}

export interface RecordedRule {
  readonly name: string;
  readonly rule: Rule;
  /** Of one that follows from the settings. */
  readonly upstream: string | null;
  readonly previewedAt: string | null;
  readonly createdAt: string | null;
  readonly createdBy: string | null;
}

export interface RepositoryReport {
  readonly repository: string;
  readonly tags: readonly {
    readonly tag: string;
    readonly digest: string;
    readonly keep: boolean;
    readonly reason: string;
  }[];
  readonly manifests: readonly { readonly digest: string; readonly size: number; readonly reason: string }[];
  readonly bytes: number;
  readonly skipped?: string;
}

export interface Report {
  readonly repositories: readonly RepositoryReport[];
  readonly bytes: number;
  readonly isComplete: boolean;
  readonly last?: string;
}

/** Stores a rule, under a name of its own if none is given. */
export async function setRule(rule: Rule, name = freshName("rule")): Promise<string> {
  await answerOf<RecordedRule>(await callApi("PUT", `retention/${name}`, rule));
  return name;
}

export async function preview(body: object): Promise<Report> {
  return await answerOf(await callApi("POST", "retention/preview", body));
}

export async function run(body: object = {}): Promise<Report> {
  return await answerOf(await callApi("POST", "retention/run", body));
}

/** Stores a rule that someone has previewed. */
export async function setPreviewedRule(rule: Rule, name?: string): Promise<string> {
  const stored = await setRule(rule, name);
  await preview({ name: stored });
  return stored;
}

/** The names of the tags that a report keeps, or removes. */
export const tagsOf = ({ repositories }: Report, keep: boolean): string[] =>
  repositories.flatMap(({ tags }) => tags.filter((one) => one.keep === keep).map(({ tag }) => tag));

/** Takes all rules away, and lets the schedule begin a new round. */
export async function endRules(): Promise<void> {
  await env.DB.batch([
    env.DB.prepare("DELETE FROM retention_rules"),
    env.DB.prepare("UPDATE retention_round SET after_name = NULL, started_at = 0"),
  ]);
}

/** Lets a tag be as old as that. */
export async function ageTag(repository: string, tag: string, days: number): Promise<void> {
  await env.DB.prepare(
    `UPDATE tags SET updated_at = updated_at - ?3
     WHERE name = ?2 AND repository_id = (SELECT id FROM repositories WHERE name = ?1)`,
  )
    .bind(repository, tag, days * 86_400_000)
    .run();
}

/** A repository with these tags, each of an image of its own, the first the oldest. */
export async function repositoryWith(...tags: string[]): Promise<string> {
  const repository = freshRepository();
  for (const [place, tag] of tags.entries()) {
    await pushImage(repository, { tag });
    await ageTag(repository, tag, 10 * (tags.length - place));
  }
  return repository;
}

/** All tags of a repository, in order. */
export async function tagsIn(repository: string): Promise<string[]> {
  const answer = await expectStatus(await send("GET", `/v2/${repository}/tags/list`), 200);
  return (await answer.json<{ tags: string[] }>()).tags;
}

/** The events of a tag, oldest first. */
export const historyOf = async (repository: string, tag: string) =>
  await rows<{ digest: string | null; previous_digest: string | null; actor: string }>(
    `SELECT digest, previous_digest, actor FROM tag_events
     WHERE name = ?2 AND repository_id = (SELECT id FROM repositories WHERE name = ?1) ORDER BY id`,
    repository,
    tag,
  );
