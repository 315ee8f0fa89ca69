import * as v from "valibot";
import { Failure } from "../../local/failure.ts";
import { type Client, pathOf } from "../client.ts";
import { example, type Noun } from "../noun.ts";
import type { Output } from "../output.ts";
import type { Session } from "../session.ts";
import { count, formatSize } from "../text.ts";

const OutcomeSchema = v.object({
  marked: v.number(),
  condemned: v.number(),
  manifests: v.number(),
  links: v.number(),
  blobs: v.number(),
  bytes: v.number(),
});
const RunSchema = v.looseObject({ outcome: OutcomeSchema, isComplete: v.boolean() });

const CandidateSchema = v.looseObject({
  kind: v.string(),
  repository: v.nullable(v.string()),
  digest: v.string(),
  freed: v.number(),
  reason: v.string(),
  since: v.nullable(v.string()),
  dueAt: v.nullable(v.string()),
});
const CollectionSchema = v.looseObject({
  due: v.array(CandidateSchema),
  waiting: v.array(CandidateSchema),
  freed: v.number(),
  runs: v.array(v.looseObject({ endedAt: v.string(), outcome: OutcomeSchema })),
  missing: v.array(v.looseObject({ key: v.string(), digest: v.string(), foundAt: v.string() })),
  isComplete: v.boolean(),
});

type Outcome = v.InferOutput<typeof OutcomeSchema>;
type Candidate = v.InferOutput<typeof CandidateSchema>;

const REASONS = `
What goes is untagged (no tag and no index holds a manifest), deleted, unreferenced (no manifest of the repository needs a
blob), or unlinked (no repository holds it).
`;

/** What nothing needs any more, and the space that it takes. */
export const gc: Noun = (program, act) => {
  program
    .command("gc")
    .description("collect what nothing needs any more, and free its space")
    .option("--dry-run", "show what would go, and what waits, and change nothing")
    .addHelpText("after", REASONS + example("stowage gc --dry-run", "stowage gc"))
    .action(act(collect));
};

async function collect(session: Session, { dryRun = false }: { readonly dryRun?: boolean }): Promise<void> {
  const client = await session.connect();
  if (dryRun) await preview(session, client);
  else await run(session, client);
}

async function preview(session: Session, client: Client): Promise<void> {
  const found = await client.get(pathOf("collection"), CollectionSchema);
  const { due, waiting, freed, runs, missing } = found;
  session.show(found, (output) => {
    const [last] = runs;
    output.fields([
      ["Due", `${due.length}, ${formatSize(freed)}`],
      ["Waiting", String(waiting.length)],
      ["Last run", { time: last?.endedAt ?? null, none: "none yet" }],
      ...(last ? [["It freed", formatSize(last.outcome.bytes)] as const] : []),
      ...(found.isComplete ? [] : [["Not shown", "there is more: this is the beginning of each kind"] as const]),
    ]);
    showCandidates(output, "Due now", due);
    showCandidates(output, "Waiting", waiting);
    if (missing.length === 0) return;
    output.section("Missing from the bucket");
    const rows = missing.map(({ digest, key, foundAt }) => [digest, key, { time: foundAt, none: "" }]);
    output.table(["Digest", "Object", "Found"], rows, "");
  });
}

function showCandidates(output: Output, title: string, candidates: readonly Candidate[]): void {
  if (candidates.length === 0) return;
  output.section(title);
  const rows = candidates.map(({ kind, repository, digest, reason, since, dueAt, freed }) => [
    kind,
    repository === null ? digest : `${repository}@${digest}`,
    reason,
    // Its time begins when a run finds it; without a limit for untagged manifests there is none.
    { time: dueAt, none: since === null ? "not found yet" : "stays" },
    formatSize(freed),
  ]);
  output.table(["Kind", "What", "Why", "Due", "Frees"], rows, "");
}

async function run(session: Session, client: Client): Promise<void> {
  const outcome = await session.output.progress(async (tell) => {
    tell("Collecting…");
    let sum: Outcome = { marked: 0, condemned: 0, manifests: 0, links: 0, blobs: 0, bytes: 0 };
    for (;;) {
      const { outcome: more, isComplete } = await client.change("POST", pathOf("collection"), RunSchema);
      sum = add(sum, more);
      if (isComplete) return sum;
      if (Object.values(more).every((number) => number === 0)) {
        throw new Failure("there is more to collect, and the registry does not get on with it: try again later");
      }
      tell(`Collecting… ${describe(sum)}`);
    }
  });
  session.show({ outcome, isComplete: true }, (output) => {
    const { marked, condemned, manifests, links, blobs } = outcome;
    output.note(manifests + links + blobs === 0 ? "There is nothing due." : `Collected ${describe(outcome)}.`);
    if (marked + condemned > 0) {
      output.note(`The time begins of ${count(marked, "manifest")} and ${count(condemned, "blob")} more.`);
    }
  });
}

function add(one: Outcome, other: Outcome): Outcome {
  return {
    marked: one.marked + other.marked,
    condemned: one.condemned + other.condemned,
    manifests: one.manifests + other.manifests,
    links: one.links + other.links,
    blobs: one.blobs + other.blobs,
    bytes: one.bytes + other.bytes,
  };
}

function describe({ manifests, links, blobs, bytes }: Outcome): string {
  const things = [count(manifests, "manifest"), count(links, "link"), count(blobs, "blob")];
  return `${things.join(", ")}; ${formatSize(bytes)} freed`;
}
