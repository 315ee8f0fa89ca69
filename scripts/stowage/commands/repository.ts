import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { Option } from "commander";
import * as v from "valibot";
import { Failure, reasonOf } from "../../local/failure.ts";
import { parseList, parseStars } from "../arguments.ts";
import { pathOf } from "../client.ts";
import type { Environment } from "../environment.ts";
import { example, type Noun, YES } from "../noun.ts";
import type { Session } from "../session.ts";
import { formatSize } from "../text.ts";

const SUMMARY = {
  name: v.string(),
  visibility: v.string(),
  description: v.nullable(v.string()),
  stars: v.number(),
  official: v.boolean(),
  tags: v.number(),
  size: v.number(),
  uniqueSize: v.nullable(v.number()),
  pushedAt: v.nullable(v.string()),
  pulledAt: v.nullable(v.string()),
  pulls: v.number(),
  createdAt: v.string(),
};
const SummarySchema = v.looseObject(SUMMARY);
const RepositorySchema = v.looseObject({
  ...SUMMARY,
  manifests: v.number(),
  hasReadme: v.boolean(),
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
  description: v.optional(v.string()),
  stars: v.optional(v.number()),
  official: v.optional(v.boolean()),
});
const ReadmeSchema = v.looseObject({ hasReadme: v.boolean() });

interface SetOptions {
  readonly visibility?: string;
  readonly immutableTags?: string;
  readonly exceptTags?: readonly string[];
  readonly expiringTags?: string;
  readonly description?: string;
  readonly stars?: number;
  readonly official?: string;
  readonly readme?: string;
}

/** Only who may see all repositories is told it. */
const uniquePart = (bytes: number | null): string =>
  bytes === null ? "" : `, of which ${formatSize(bytes)} are in no other repository`;

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
    .option("--description <text>", "what it is, in a line or two; '' takes it away; of one repository")
    .addOption(new Option("--stars <count>", "the stars that searches show; of one repository").argParser(parseStars))
    .addOption(
      new Option("--official <state>", "whether searches show it as official; of one repository").choices([
        "on",
        "off",
      ]),
    )
    .option("--readme <file>", "Markdown about it, of 64 KiB at most; - for stdin, '' takes it away; of one repository")
    .addHelpText(
      "after",
      example(
        "stowage repository set team/web --visibility public",
        "stowage repository set team/web --description 'The shop' --readme README.md",
        "stowage repository set team/web --stars 12 --official on",
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
    const rows = repositories.map(({ name, visibility, tags, size, pushedAt, pulls }) => [
      ...[name, visibility, String(tags), formatSize(size), { time: pushedAt, none: "never" }, String(pulls)],
    ]);
    const head = ["Name", "Visibility", "Tags", "Size", "Pushed", "Pulls"];
    output.table(head, rows, "There are no repositories yet: docker push makes them.");
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
      ["Description", found.description ?? "none"],
      ["Readme", found.hasReadme ? "yes" : "none"],
      ["Stars", String(found.stars)],
      ["Official", found.official ? "yes" : "no"],
      ["Visibility", found.visibility],
      ["Created", { time: found.createdAt, none: "" }],
      ["Pushed", { time: found.pushedAt, none: "never" }],
      ["Pulled", { time: found.pulledAt, none: "never" }],
      ["Pulls", String(found.pulls)],
      ["Tags", String(found.tags)],
      ["Manifests", String(found.manifests)],
      ["Size", formatSize(found.size) + uniquePart(found.uniqueSize)],
      ["Immutable tags", immutable.join("; ") || "none"],
      ["Expiring tags", expiring.join("; ") || "none"],
    ]);
  });
}

function describeImmutable(pattern: string, except: readonly string[]): string {
  return `all of ${pattern}${except.length === 0 ? "" : ` but ${except.join(", ")}`}`;
}

async function set(session: Session, pattern: string, options: SetOptions): Promise<void> {
  const body = toSettings(options);
  // First of all: a file that cannot be read changes nothing.
  const readme = options.readme === undefined ? undefined : await readReadme(options.readme, session.environment);
  if (Object.keys(body).length === 0 && readme === undefined) {
    const flags = "--visibility, --immutable-tags, --expiring-tags, --description, --stars, --official or --readme";
    throw new Failure(`there is nothing to set: give ${flags}`, 2);
  }
  const client = await session.connect();
  const settings =
    Object.keys(body).length === 0
      ? { repository: pattern }
      : await client.change("PATCH", pathOfRepository(pattern), SettingsSchema, body);
  const about =
    readme === undefined
      ? {}
      : await client.change("PUT", pathOf("readme"), ReadmeSchema, { repository: pattern, readme });
  session.show({ ...settings, ...about }, (output) =>
    output.note(`${pattern}: ${describe({ ...settings, ...about })}.`),
  );
}

function toSettings({ visibility, immutableTags, exceptTags, expiringTags, ...ofOne }: SetOptions): object {
  const { description, stars, official } = ofOne;
  if (exceptTags !== undefined && immutableTags !== "on") {
    throw new Failure("--except-tags are exceptions from --immutable-tags on: give both", 2);
  }
  return {
    ...(visibility !== undefined && { visibility }),
    ...(immutableTags !== undefined && { immutableTags: immutableTags === "on" }),
    ...(exceptTags !== undefined && { exceptTags }),
    ...(expiringTags !== undefined && { expiringTags: expiringTags === "on" }),
    ...(description !== undefined && { description }),
    ...(stars !== undefined && { stars }),
    ...(official !== undefined && { official: official === "on" }),
  };
}

/** The text of a readme; none, where no file is named. */
async function readReadme(file: string, { stdin }: Environment): Promise<string> {
  if (file === "") return "";
  try {
    return file === "-" ? await text(stdin) : readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`--readme ${file} is not a file that can be read: ${reasonOf(error)}`, 2);
  }
}

type Set = v.InferOutput<typeof SettingsSchema> & { readonly hasReadme?: boolean };

function describe({ hasReadme, description, ...settings }: Set): string {
  return [
    describeVisibility(settings.visibility),
    describeTags(settings),
    describeExpiring(settings.expiringTags),
    describeAbout("description", description === undefined ? undefined : description !== ""),
    describeStars(settings.stars),
    describeOfficial(settings.official),
    describeAbout("readme", hasReadme),
  ]
    .filter((words) => words !== "")
    .join("; ");
}

function describeAbout(what: string, isThere: boolean | undefined): string {
  if (isThere === undefined) return "";
  return isThere ? `has the ${what} that was given` : `has no ${what} any more`;
}

function describeStars(stars: number | undefined): string {
  return stars === undefined ? "" : `has ${stars} star${stars === 1 ? "" : "s"}`;
}

function describeOfficial(official: boolean | undefined): string {
  if (official === undefined) return "";
  return official ? "official" : "not official";
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
