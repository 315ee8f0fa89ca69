import * as v from "valibot";
import { collectRelease, parseExpiry, parseTagAddress, parseTime, type Release } from "../arguments.ts";
import { pathOf, withQuery } from "../client.ts";
import { example, type Noun } from "../noun.ts";
import type { Session } from "../session.ts";

const TagSchema = v.looseObject({
  name: v.string(),
  digest: v.string(),
  updatedAt: v.string(),
  expiresAt: v.nullable(v.string()),
  immutable: v.boolean(),
});
const EventSchema = v.looseObject({
  digest: v.nullable(v.string()),
  actor: v.nullable(v.string()),
  occurredAt: v.string(),
  isAvailable: v.boolean(),
});
const ADDRESS = { repository: v.string(), tag: v.string() };
const NamedSchema = v.looseObject({ ...ADDRESS, digest: v.string() });
const ReleasedSchema = v.looseObject({ releases: v.array(NamedSchema) });
const ExpirySchema = v.looseObject({ ...ADDRESS, expiresAt: v.nullable(v.string()) });
const PastSchema = v.looseObject({ ...ADDRESS, time: v.string(), digest: v.nullable(v.string()) });

/** Tags: what they name, named, and will name. */
export const tag: Noun = (program, act) => {
  const noun = program.command("tag").description("tags: what they name, and named before");
  const verb = (name: string, description: string) =>
    noun.command(name).description(description).argument("<repository>").argument("[tag]", "or REPOSITORY:TAG in one");
  noun
    .command("list")
    .description("list the tags of a repository")
    .argument("<repository>")
    .addHelpText("after", example("stowage tag list team/web"))
    .action(act(list));
  verb("history", "show what a tag named, and who moved it; the newest first")
    .addHelpText("after", example("stowage tag history team/web latest"))
    .action(act(history));
  verb("at", "show what a tag named at a time")
    .requiredOption("--time <time>", "when, such as 2026-07-28T12:00:00Z", parseTime)
    .addHelpText("after", example("stowage tag at team/web latest --time 2026-07-28T12:00:00Z"))
    .action(act(at));
  verb("restore", "make a tag name again what it named before it was moved or deleted")
    .option("--to <digest>", "rather what it named at some time, by its history")
    .addHelpText("after", example("stowage tag restore team/web latest"))
    .action(act(restore));
  noun
    .command("release")
    .description("make tags name something else, all at once or none of them")
    .argument("<repository:tag=what...>", "what: a digest, or another tag of the repository", collectRelease)
    .addHelpText("after", example("stowage tag release team/web:stable=1.4.2 team/api:stable=2.0.1"))
    .action(act(release));
  verb("expire", "say when a tag ends by itself")
    .requiredOption("--after <duration>", "from now: 12h, 7d, or never", parseExpiry)
    .addHelpText("after", example("stowage tag expire team/web pr-17 --after 7d"))
    .action(act(expire));
};

async function list(session: Session, repository: string): Promise<void> {
  const client = await session.connect();
  const tags = await client.list(withQuery(pathOf("tags"), { repository }), "tags", TagSchema);
  session.show({ tags }, (output) => {
    const rows = tags.map(({ name, digest, updatedAt, expiresAt, immutable }) => [
      name,
      digest,
      { time: updatedAt, none: "" },
      { time: expiresAt, none: "never" },
      immutable ? "yes" : "no",
    ]);
    output.table(["Tag", "Names", "Since", "Ends", "Immutable"], rows, `There are no tags in ${repository}.`);
  });
}

async function history(session: Session, name: string, tagName: string | undefined): Promise<void> {
  const address = parseTagAddress(name, tagName);
  const client = await session.connect();
  const events = await client.list(withQuery(pathOf("tags", "history"), { ...address }), "events", EventSchema);
  session.show({ events }, (output) => {
    const rows = events.map(({ digest, actor, occurredAt, isAvailable }) => [
      { time: occurredAt, none: "" },
      digest ?? "nothing: it was deleted",
      actor ?? "",
      digest === null ? "" : isAvailable ? "yes" : "no",
    ]);
    output.table(["When", "Named from then on", "By", "Still there"], rows, "Nothing is known of this tag.");
  });
}

async function at(
  session: Session,
  name: string,
  tagName: string | undefined,
  { time }: { readonly time: string },
): Promise<void> {
  const address = parseTagAddress(name, tagName);
  const client = await session.connect();
  const past = await client.get(withQuery(pathOf("tags", "at"), { ...address, time }), PastSchema);
  session.show(past, (output) => {
    output.fields([
      ["Tag", `${past.repository}:${past.tag}`],
      ["Time", { time: past.time, none: "" }],
      ["Named", past.digest ?? "nothing: it was deleted"],
    ]);
  });
}

async function restore(
  session: Session,
  name: string,
  tagName: string | undefined,
  { to: digest }: { readonly to?: string },
): Promise<void> {
  const address = parseTagAddress(name, tagName);
  const client = await session.connect();
  const body = { ...address, ...(digest !== undefined && { digest }) };
  const restored = await client.change("POST", pathOf("tags", "restore"), NamedSchema, body);
  session.show(restored, (output) => output.note(describe(restored)));
}

async function release(session: Session, releases: readonly Release[]): Promise<void> {
  const client = await session.connect();
  const released = await client.change("POST", pathOf("tags", "release"), ReleasedSchema, { releases });
  session.show(released, (output) => {
    for (const named of released.releases) output.note(describe(named));
  });
}

function describe(named: v.InferOutput<typeof NamedSchema>): string {
  return `${named.repository}:${named.tag} names ${named.digest} now.`;
}

async function expire(
  session: Session,
  name: string,
  tagName: string | undefined,
  { after: expires }: { readonly after: string },
): Promise<void> {
  const address = parseTagAddress(name, tagName);
  const client = await session.connect();
  const set = await client.change("POST", pathOf("tags", "expiry"), ExpirySchema, { ...address, expires });
  session.show(set, (output) => {
    const end = set.expiresAt === null ? "does not end by itself" : `ends ${output.time(set.expiresAt)}`;
    output.note(`${set.repository}:${set.tag} ${end}.`);
  });
}
