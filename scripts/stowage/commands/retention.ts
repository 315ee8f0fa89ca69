import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import { Failure, reasonOf } from "../../local/failure.ts";
import { pathOf } from "../client.ts";
import type { Environment } from "../environment.ts";
import { example, type Noun, YES } from "../noun.ts";
import type { Output } from "../output.ts";
import type { Session } from "../session.ts";
import { count, formatSize } from "../text.ts";

/** A rule is the registry's to understand. */
const RuleFileSchema = v.pipe(
  v.unknown(),
  v.check((rule) => !Array.isArray(rule), "it is a list"),
  v.looseObject({}),
);
const RuleSchema = v.looseObject({
  name: v.string(),
  rule: v.looseObject({ repository: v.string(), keep: v.unknown() }),
  upstream: v.nullable(v.string()),
  previewedAt: v.nullable(v.string()),
  createdAt: v.nullable(v.string()),
  createdBy: v.nullable(v.string()),
});
const TagSchema = v.looseObject({
  tag: v.string(),
  digest: v.string(),
  keep: v.optional(v.boolean()),
  reason: v.string(),
});
const RepositorySchema = v.looseObject({
  repository: v.string(),
  tags: v.array(TagSchema),
  manifests: v.array(v.looseObject({ digest: v.string(), size: v.number(), reason: v.string() })),
  bytes: v.number(),
});
const EffectSchema = v.looseObject({
  repositories: v.array(RepositorySchema),
  bytes: v.number(),
  isComplete: v.boolean(),
  last: v.optional(v.string()),
});

type Effect = v.InferOutput<typeof EffectSchema>;

/** Rules by which tags go; what is untagged then is collected later. */
export const retention: Noun = (program, act) => {
  const noun = program.command("retention").description("which tags stay: rules, previewed before they run");
  noun
    .command("set")
    .description("set a retention rule")
    .argument("<name>")
    .requiredOption("--file <file>", "the rule as JSON; - for stdin")
    .addHelpText(
      "after",
      '\nA rule:  {"repository": "team/**", "tags": ["dev-*"], "keep": {"newest": 10}}\n' +
        example("stowage retention set dev --file dev.json", "stowage retention set dev --file - < dev.json"),
    )
    .action(act(set));
  noun
    .command("list")
    .description("list the retention rules")
    .addHelpText("after", example("stowage retention list"))
    .action(act(list));
  noun
    .command("preview")
    .description("show what a rule keeps and removes; a rule runs only after that")
    .argument("<name>")
    .addHelpText("after", example("stowage retention preview dev"))
    .action(act(preview));
  noun
    .command("run")
    .description("remove now the tags that the rules do not keep")
    .argument("[name]", "one rule; without it, all")
    .option(...YES)
    .addHelpText("after", example("stowage retention run dev"))
    .action(act(run));
  noun
    .command("remove")
    .description("remove a retention rule")
    .argument("<name>")
    .option(...YES)
    .addHelpText("after", example("stowage retention remove dev"))
    .action(act(remove));
};

/** What a rule protected is in no preview of the others. */
const OTHERS = "other rules for its repositories run again once you looked at them:  npx stowage retention list";

async function set(session: Session, name: string, { file }: { readonly file: string }): Promise<void> {
  const rule = await readRule(file, session.environment);
  const client = await session.connect();
  const answer = await client.change("PUT", pathOf("retention", name), RuleSchema, rule);
  session.show(answer, (output) => {
    output.note(
      `Set the retention rule ${name}. It runs once you looked at it:  npx stowage retention preview ${name}`,
    );
    output.note(`If it replaces one, ${OTHERS}`);
  });
}

async function readRule(file: string, { stdin }: Environment): Promise<v.InferOutput<typeof RuleFileSchema>> {
  try {
    return v.parse(RuleFileSchema, JSON.parse(file === "-" ? await text(stdin) : readFileSync(file, "utf8")));
  } catch (error) {
    throw new Failure(`--file ${file} is not a retention rule that can be read: ${reasonOf(error)}`, 2);
  }
}

async function list(session: Session): Promise<void> {
  const client = await session.connect();
  const rules = await client.list(pathOf("retention"), "rules", RuleSchema);
  session.show({ rules }, (output) => {
    const rows = rules.map(({ name, rule, upstream, previewedAt, createdAt, createdBy }) => [
      name,
      rule.repository,
      JSON.stringify(rule.keep),
      { time: previewedAt, none: upstream === null ? "never" : "runs without" },
      { time: createdAt, none: "" },
      createdBy ?? (upstream === null ? "" : "the setting UPSTREAMS"),
    ]);
    const head = ["Name", "Repositories", "Keeps", "Previewed", "Since", "By"];
    output.table(head, rows, "There are no retention rules: all tags stay.");
  });
}

async function preview(session: Session, name: string): Promise<void> {
  const client = await session.connect();
  const effect = await session.output.progress(async (tell) => {
    tell("Looking…");
    return await goThrough(client, "preview", { name }, (sum) => {
      if (sum.last !== undefined) tell(`Looking… ${count(countRemoved(sum), "tag")} would go`);
      return sum.last !== undefined;
    });
  });
  session.show(effect, (output) => {
    showTags(output, effect, true);
    const removed = countRemoved(effect);
    const freed = `${formatSize(effect.bytes)} freed when it is collected`;
    output.note(removed === 0 ? "Nothing would go." : `${count(removed, "tag")} would go; ${freed}.`);
    if (!effect.isComplete) output.note("There is more than one look shows: this is the beginning of it.");
  });
}

async function run(session: Session, name: string | undefined): Promise<void> {
  const rules = name === undefined ? "the retention rules do" : `the retention rule ${name} does`;
  await session.confirm(`Remove the tags that ${rules} not keep?`);
  const client = await session.connect();
  const effect = await session.output.progress(async (tell) => {
    tell("Removing…");
    return await goThrough(client, "run", name === undefined ? {} : { name }, (sum, step) => {
      if (step.last === undefined && countRemoved(step) === 0) throw new Failure(STUCK);
      tell(`Removing… ${count(countRemoved(sum), "tag")}`);
      return true;
    });
  });
  session.show(effect, (output) => {
    showTags(output, effect, false);
    const removed = countRemoved(effect);
    const freed = `${formatSize(effect.bytes)} are freed when it is collected`;
    output.note(removed === 0 ? "There was nothing to remove." : `Removed ${count(removed, "tag")}; ${freed}.`);
  });
}

const STUCK = "there is more to remove, and the registry does not get on with it: try again later";

/** Asks until it is complete, or `goesOn` says no to the sum so far and its last part; each time from where the one before ended. */
async function goThrough(
  client: Awaited<ReturnType<Session["connect"]>>,
  action: "preview" | "run",
  body: object,
  goesOn: (sum: Effect, step: Effect) => boolean,
): Promise<Effect> {
  let sum: Effect = { repositories: [], bytes: 0, isComplete: false };
  for (;;) {
    const { last: before, ...rest } = sum;
    const sent = before === undefined ? body : { ...body, last: before };
    const step = await client.change("POST", pathOf("retention", action), EffectSchema, sent);
    if (step.last !== undefined && step.last === before) throw new Failure(STUCK);
    const repositories = [...rest.repositories, ...step.repositories];
    sum = { ...step, repositories, bytes: rest.bytes + step.bytes };
    if (sum.isComplete || !goesOn(sum, step)) return { repositories, bytes: sum.bytes, isComplete: sum.isComplete };
  }
}

function countRemoved({ repositories }: Pick<Effect, "repositories">): number {
  return repositories.reduce((sum, { tags }) => sum + tags.filter(({ keep }) => keep !== true).length, 0);
}

/** What goes comes first; a run tells of nothing else. */
function showTags(output: Output, { repositories }: Effect, isPreview: boolean): void {
  for (const { repository, tags, manifests, bytes } of repositories) {
    const removed = tags.filter(({ keep }) => keep !== true);
    const kept = tags.filter(({ keep }) => keep === true);
    if (tags.length === 0) continue;
    const numbers = `${count(removed.length, "tag")}, ${count(manifests.length, "manifest")}, ${formatSize(bytes)}`;
    output.section(`${repository}: ${numbers} ${isPreview ? "would go" : "went"}`);
    const rows = [...removed, ...kept].map(({ tag, keep, reason }) => [tag, keep === true ? "stays" : "goes", reason]);
    if (isPreview) output.table(["Tag", "", "Why"], rows, "");
    else
      output.table(
        ["Tag", "Named", "Why"],
        removed.map(({ tag, digest, reason }) => [tag, digest, reason]),
        "",
      );
  }
}

async function remove(session: Session, name: string): Promise<void> {
  await session.confirm(`Remove the retention rule ${name}?`);
  const client = await session.connect();
  const answer = await client.remove(pathOf("retention", name));
  session.show(answer, (output) => {
    output.note(`Removed the retention rule ${name}; ${OTHERS}`);
  });
}
