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
  expiringTags: v.array(v.looseObject({ repository: v.string() })),
});
/** What was set; what was left as it is, is left out. */
const SettingsSchema = v.looseObject({
  repository: v.string(),
  visibility: v.optional(v.string()),
  immutableTags: v.optional(v.boolean()),
  exceptTags: v.optional(v.array(v.string())),
  expiringTags: v.optional(v.boolean()),
});

interface SetOptions {
  readonly visibility?: string;
  readonly immutableTags?: string;
  readonly exceptTags?: readonly string[];
  readonly expiringTags?: string;
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
    .addOption(
      new Option("--expiring-tags <state>", "whether tags such as 30m, 1h and 7d end by themselves").choices([
        "on",
        "off",
      ]),
    )
    .addHelpText(
      "after",
      example(
        "stowage repository set team/web --visibility public",
        "stowage repository set 'team/*' --immutable-tags on --except-tags 'dev-*,latest'",
        "stowage repository set 'ci/**' --expiring-tags on",
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
    const expiring = found.expiringTags.map(({ repository: pattern }) => `such as 7d, in all of ${pattern}`);
    output.fields([
      ["Name", found.name],
      ["Visibility", found.visibility],
      ["Created", { time: found.createdAt, none: "" }],
      ["Tags", String(found.tags)],
      ["Manifests", String(found.manifests)],
      ["Size", formatSize(found.size)],
      ["Immutable tags", immutable.join("; ") || "none"],
      ["Expiring tags", expiring.join("; ") || "none"],
    ]);
  });
}

function describeImmutable(pattern: string, except: readonly string[]): string {
  return `all of ${pattern}${except.length === 0 ? "" : ` but ${except.join(", ")}`}`;
}

async function set(session: Session, pattern: string, options: SetOptions): Promise<void> {
  const { immutableTags, exceptTags, expiringTags } = options;
  if (exceptTags !== undefined && immutableTags !== "on") {
    throw new Failure("--except-tags are exceptions from --immutable-tags on: give both", 2);
  }
  if (options.visibility === undefined && immutableTags === undefined && expiringTags === undefined) {
    throw new Failure("there is nothing to set: give --visibility, --immutable-tags or --expiring-tags", 2);
  }
  const body = {
    ...(options.visibility !== undefined && { visibility: options.visibility }),
    ...(immutableTags !== undefined && { immutableTags: immutableTags === "on" }),
    ...(exceptTags !== undefined && { exceptTags }),
    ...(expiringTags !== undefined && { expiringTags: expiringTags === "on" }),
  };
  const client = await session.connect();
  const settings = await client.change("PATCH", pathOfRepository(pattern), SettingsSchema, body);
  session.show(settings, (output) => {
    const said = [
      describeVisibility(settings.visibility),
      describeTags(settings),
      describeExpiring(settings.expiringTags),
    ].filter((text) => text !== "");
    output.note(`${settings.repository}: ${said.join("; ")}.`);
  });
}

function describeVisibility(visibility: string | undefined): string {
  if (visibility === undefined) return "";
  return visibility === "public" ? "public, so anyone may pull" : "private, so only those may pull whom a rule lets";
}

function describeTags({ immutableTags, exceptTags = [] }: v.InferOutput<typeof SettingsSchema>): string {
  if (immutableTags === undefined) return "";
  const except = exceptTags.length === 0 ? "" : ` but ${exceptTags.join(", ")}`;
  return immutableTags
    ? `tags stay where they are${except}`
    : "tags may move, unless the rule of another pattern holds them";
}

function describeExpiring(expiringTags: boolean | undefined): string {
  if (expiringTags === undefined) return "";
  return expiringTags
    ? "tags such as 30m, 1h and 7d end by themselves"
    : "tags such as 7d stay, unless the rule of another pattern ends them";
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
