import { Option } from "commander";
import * as v from "valibot";
import { Failure } from "../../local/failure.ts";
import { parseList } from "../arguments.ts";
import { pathOf } from "../client.ts";
import { example, type Noun, YES } from "../noun.ts";
import type { Session } from "../session.ts";
import { formatSize } from "../text.ts";

const SUMMARY = { name: v.string(), visibility: v.string(), createdAt: v.string() };
const SummarySchema = v.looseObject(SUMMARY);
const RepositorySchema = v.looseObject({
  ...SUMMARY,
  tags: v.number(),
  manifests: v.number(),
  size: v.number(),
  immutableTags: v.array(v.looseObject({ repository: v.string(), except: v.array(v.string()) })),
});
const SettingsSchema = v.looseObject({
  repository: v.string(),
  visibility: v.nullish(v.string()),
  immutableTags: v.boolean(),
  exceptTags: v.array(v.string()),
});

interface SetOptions {
  readonly visibility?: string;
  readonly immutableTags?: string;
  readonly exceptTags?: readonly string[];
}

/** Repositories, and what holds for them. */
export const repository: Noun = (program, act) => {
  const noun = program.command("repository").description("repositories, and what holds for them");
  noun
    .command("list")
    .description("list the repositories")
    .addHelpText("after", example("stowage repository list"))
    .action(act(list));
  noun
    .command("show")
    .description("show one repository")
    .argument("<name>")
    .addHelpText("after", example("stowage repository show team/web"))
    .action(act(show));
  noun
    .command("set")
    .description("set what holds for a repository, or for all of a pattern")
    .argument("<name-or-pattern>")
    .addOption(new Option("--visibility <kind>", "who may pull").choices(["public", "private"]))
    .addOption(new Option("--immutable-tags <state>", "whether tags stay where they are").choices(["on", "off"]))
    .option("--except-tags <list>", "tags that may move nevertheless, such as 'dev-*,latest'", parseList)
    .addHelpText(
      "after",
      example(
        "stowage repository set team/web --visibility public",
        "stowage repository set 'team/*' --immutable-tags on --except-tags 'dev-*,latest'",
      ),
    )
    .action(act(set));
  noun
    .command("delete")
    .description("delete a repository and all that it holds")
    .argument("<name>")
    .option(...YES)
    .addHelpText("after", example("stowage repository delete team/old"))
    .action(act(remove));
};

async function list(session: Session): Promise<void> {
  const client = await session.connect();
  const repositories = await client.list(pathOf("repositories"), "repositories", SummarySchema);
  session.show({ repositories }, (output) => {
    const rows = repositories.map(({ name, visibility, createdAt }) => [
      name,
      visibility,
      { time: createdAt, none: "" },
    ]);
    output.table(["Name", "Visibility", "Created"], rows, "There are no repositories yet: docker push makes them.");
  });
}

async function show(session: Session, name: string): Promise<void> {
  const client = await session.connect();
  const found = await client.get(pathOfRepository(name), RepositorySchema);
  session.show(found, (output) => {
    const immutable = found.immutableTags.map((rule) => describeImmutable(rule.repository, rule.except));
    output.fields([
      ["Name", found.name],
      ["Visibility", found.visibility],
      ["Created", { time: found.createdAt, none: "" }],
      ["Tags", String(found.tags)],
      ["Manifests", String(found.manifests)],
      ["Size", formatSize(found.size)],
      ["Immutable tags", immutable.join("; ") || "none"],
    ]);
  });
}

function describeImmutable(pattern: string, except: readonly string[]): string {
  return `all of ${pattern}${except.length === 0 ? "" : ` but ${except.join(", ")}`}`;
}

async function set(session: Session, pattern: string, options: SetOptions): Promise<void> {
  const { immutableTags, exceptTags } = options;
  if (options.visibility === undefined && immutableTags === undefined && exceptTags === undefined) {
    throw new Failure("there is nothing to set: give --visibility, --immutable-tags or --except-tags", 2);
  }
  if (immutableTags === "off" && exceptTags !== undefined) {
    throw new Failure("--except-tags are exceptions from --immutable-tags on: leave one of the two away", 2);
  }
  const body = {
    ...(options.visibility !== undefined && { visibility: options.visibility }),
    ...(immutableTags !== undefined && { immutableTags: immutableTags === "on" }),
    ...(exceptTags !== undefined && { exceptTags }),
  };
  const client = await session.connect();
  const settings = await client.change("PATCH", pathOfRepository(pattern), SettingsSchema, body);
  session.show(settings, (output) => {
    const except = settings.exceptTags.length === 0 ? "" : ` but ${settings.exceptTags.join(", ")}`;
    const tags = settings.immutableTags ? `its tags stay where they are${except}` : "its tags may move";
    // A pattern may have none of its own.
    const visibility = settings.visibility ?? "";
    output.note(`${settings.repository}: ${visibility === "" ? "" : `it is ${visibility}, `}${tags}.`);
  });
}

async function remove(session: Session, name: string): Promise<void> {
  await session.confirm(`Delete the repository ${name} and all that it holds?`);
  const client = await session.connect();
  const answer = await client.remove(pathOfRepository(name));
  session.show(answer, (output) => output.note(`Deleted the repository ${name}.`));
}

function pathOfRepository(name: string): string {
  return pathOf("repositories", ...name.split("/"));
}
