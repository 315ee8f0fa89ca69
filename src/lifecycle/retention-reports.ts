import type { Context } from "../context.ts";
import { type DoomedTag, findGraph, type GraphLimits, removeTags, type StoredGraph } from "../metadata/retention.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { changing } from "../registry/recent.ts";
import type { Decision } from "./retention/decision.ts";
import { effectOf, type RemovedManifest, type RepositoryGraph } from "./retention/effect.ts";
import { decideOn, type Turn, TAGS_MAX } from "./retention-turns.ts";

/** What a repository may hold for its graph to fit into the Worker's memory: some 30 MB. */
const LIMITS: GraphLimits = { tags: TAGS_MAX, manifests: 20_000, references: 100_000 };

/** Tags of one transaction: a second or so of the database. A repository with more takes several. */
const REMOVED_AT_ONCE = 2_000;

/** What becomes, or would become, of a repository. */
export interface RepositoryReport {
  readonly repository: RepositoryName;
  readonly tags: readonly Decision[];
  /** What goes when untagged manifests have had their time. */
  readonly manifests: readonly RemovedManifest[];
  /** Freed in the end, here and nowhere else. */
  readonly bytes: number;
  /** Why nothing was decided. */
  readonly skipped?: string;
}

/** A report, and the rows that it took. */
export interface WeighedReport {
  readonly report: RepositoryReport;
  readonly rows: number;
}

/** What is to be done in a repository whose tags do not all stay. */
interface Case {
  readonly graph: StoredGraph;
  readonly decisions: readonly Decision[];
}

const nothingIn = (repository: RepositoryName) => ({ repository, tags: [], manifests: [], bytes: 0 });

const skip = (repository: RepositoryName, kind: keyof GraphLimits): RepositoryReport => ({
  ...nothingIn(repository),
  skipped: `has more than ${LIMITS[kind]} ${kind}: too many to decide on`,
});

const isRemoved = ({ keep }: Decision): boolean => !keep;

/** Whether a turn removes something, by the tags that it came with, or cannot tell. No D1 query. */
export function isConcerned(turn: Turn, now: number): boolean {
  return turn.tags === undefined || decideOn(turn, turn.tags, now).some(isRemoved);
}

/** Decides again, on all that the repository holds at one time. One D1 round trip. */
async function openCase({ db, now }: Context, turn: Turn): Promise<Case | keyof GraphLimits> {
  if (turn.tags === undefined) return "tags";
  const graph = await findGraph(db, turn.repository, LIMITS);
  return typeof graph === "string" ? graph : { graph, decisions: decideOn(turn, graph.tags, now()) };
}

function effectIn(turn: Turn, graph: StoredGraph, removed: readonly Decision[]) {
  const nodes: RepositoryGraph = {
    ...graph,
    manifests: graph.manifests.map(({ digest, size, subject }) => ({ digest, size, subject: subject ?? undefined })),
  };
  const { manifests, manifestBytes, blobBytes } = effectOf(
    nodes,
    removed.map(({ tag, rule }) => ({ tag, rule: namesOf(turn, rule).rule })),
  );
  return { manifests, bytes: manifestBytes + blobBytes };
}

/** The name of the rule that decided, and the upstream whose mirrors it is for. */
function namesOf({ rules }: Turn, index: number | undefined): Pick<DoomedTag, "rule" | "upstream"> {
  const { name, upstream } = (index === undefined ? undefined : rules[index]) ?? { name: "", upstream: null };
  return { rule: name, upstream };
}

const rowsOf = ({ tags, manifests, references, blobs }: StoredGraph): number =>
  tags.length + manifests.length + references.length + blobs.length;

/** What would become of a repository. One D1 round trip where something would go, else none. */
export async function previewIn(context: Context, turn: Turn): Promise<WeighedReport> {
  const { repository, tags = [] } = turn;
  const now = context.now();
  if (!isConcerned(turn, now)) {
    return { report: { ...nothingIn(repository), tags: decideOn(turn, tags, now) }, rows: tags.length };
  }
  const found = await openCase(context, turn);
  if (typeof found === "string") return { report: skip(repository, found), rows: TAGS_MAX };
  const { graph, decisions } = found;
  const effect = effectIn(turn, graph, decisions.filter(isRemoved));
  return { report: { repository, tags: decisions, ...effect }, rows: rowsOf(graph) };
}

/**
 * Removes the tags of a repository that its rules remove, but for those that were pushed meanwhile or are kept otherwise by now; and
 * none once the rules for it are others. Its report tells of those that are gone. One D1 round trip, and one for each transaction.
 */
export async function removeIn(context: Context, turn: Turn, actor: Actor): Promise<WeighedReport> {
  const { repository } = turn;
  const found = await openCase(context, turn);
  if (typeof found === "string") return { report: skip(repository, found), rows: TAGS_MAX };
  const { graph, decisions } = found;
  const pushedAt = new Map(graph.tags.map((use) => [use.tag, use.pushedAt]));
  const doomed = decisions.filter(isRemoved);
  const mayEmpty = decisions.every(isRemoved);
  const gone = new Set<string>();
  for (let start = 0; start < doomed.length; start += REMOVED_AT_ONCE) {
    const tags = doomed.slice(start, start + REMOVED_AT_ONCE).map(({ tag, digest, reason, rule }) => ({
      ...{ tag, digest, reason, ...namesOf(turn, rule), pushedAt: pushedAt.get(tag) ?? -1 },
    }));
    const removal = { repository, tags, rules: turn.rules, mayEmpty, actor, now: context.now() };
    for (const tag of await changing(context, [repository], removeTags(context.db, removal))) gone.add(tag);
  }
  const removed = doomed.filter(({ tag }) => gone.has(tag));
  return { report: { repository, tags: removed, ...effectIn(turn, graph, removed) }, rows: rowsOf(graph) };
}
