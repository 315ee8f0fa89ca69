import * as v from "valibot";
import { parseAge, parseCount } from "../arguments.ts";
import { pathOf, withQuery } from "../client.ts";
import { example, type Noun } from "../noun.ts";
import type { Session } from "../session.ts";

const EventSchema = v.looseObject({
  id: v.union([v.string(), v.number()]),
  occurredAt: v.string(),
  actor: v.nullable(v.string()),
  credential: v.nullable(v.string()),
  action: v.string(),
  repository: v.nullable(v.string()),
  tag: v.nullable(v.string()),
  digest: v.nullable(v.string()),
  detail: v.nullable(v.looseObject({})),
});

type Event = v.InferOutput<typeof EventSchema>;

interface AuditOptions {
  readonly repository?: string;
  readonly actor?: string;
  readonly action?: string;
  /** Milliseconds. */
  readonly since?: number;
  readonly limit: number;
}

/** What was done, and by whom. */
export const audit: Noun = (program, act) => {
  program
    .command("audit")
    .description("what was done, and by whom; the newest first")
    .option("--repository <name>", "only in a repository")
    .option("--actor <actor>", "only by whom, such as account:alice")
    .option("--action <action>", "only what")
    .option("--since <age>", "only what is not older: 30m, 12h, 7d", parseAge)
    .option("--limit <number>", "how many at most", parseCount, 50)
    .addHelpText("after", example("stowage audit --repository team/web --since 7d"))
    .action(act(show));
};

async function show(session: Session, { limit, since, ...filters }: AuditOptions): Promise<void> {
  const now = session.environment.now().getTime();
  const from = since === undefined ? undefined : new Date(Math.max(now - since, 0)).toISOString();
  const { repository, actor, action } = filters;
  const path = withQuery(pathOf("audit"), { repository, actor, action, since: from });
  const client = await session.connect();
  const events = await client.list(path, "events", EventSchema, limit);
  session.show({ events }, (output) => {
    const rows = events.map((event) => [
      { time: event.occurredAt, none: "" },
      event.actor ?? "",
      event.action,
      describeTarget(event),
      event.detail === null ? "" : JSON.stringify(event.detail),
    ]);
    output.table(["When", "Who", "What", "Of", "Detail"], rows, "There is nothing of the kind.");
  });
}

/** `team/web:1`, or with the digest where there is no tag. */
function describeTarget({ repository, tag, digest }: Event): string {
  const target = tag === null ? (digest === null ? "" : `@${digest}`) : `:${tag}`;
  return (repository ?? "") + target;
}
