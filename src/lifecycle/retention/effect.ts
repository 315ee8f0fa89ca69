import type { Digest } from "../../oci/digest.ts";
import type { ReferenceRole } from "../../oci/manifest.ts";
import type { Tag } from "../../oci/reference.ts";

export interface ManifestNode {
  readonly digest: Digest;
  /** Bytes of the manifest itself. */
  readonly size: number;
  /** What it is a referrer of; that may be absent. */
  readonly subject?: Digest | undefined;
}

/** What a manifest holds. An index may list blobs among its manifests, as the caches of BuildKit do. */
export interface ReferenceEdge {
  readonly manifest: Digest;
  readonly role: ReferenceRole;
  readonly digest: Digest;
}

export interface BlobNode {
  readonly digest: Digest;
  readonly size: number;
  /** Whether another repository holds it too. */
  readonly isHeldElsewhere: boolean;
}

/** A repository, or as much of it as its tags reach. */
export interface RepositoryGraph {
  readonly tags: readonly { readonly tag: Tag; readonly digest: Digest }[];
  readonly manifests: readonly ManifestNode[];
  readonly references: readonly ReferenceEdge[];
  readonly blobs: readonly BlobNode[];
}

/** A tag that goes, and the rule that removes it: its name, or its place among the repository's. */
export interface RemovedTag {
  readonly tag: Tag;
  readonly rule?: string | number | undefined;
}

export interface RemovedManifest {
  readonly digest: Digest;
  readonly size: number;
  /** `untagged by rule NAME` (or counted from 1), `untagged`, `child of sha256:…`, `referrer of sha256:…`. */
  readonly reason: string;
}

/** What comes of removing tags, in the end. */
export interface Effect {
  /** Each comes after one that held it. */
  readonly manifests: readonly RemovedManifest[];
  /** Blobs that nothing holds any more, here or elsewhere; each once. */
  readonly blobs: readonly BlobNode[];
  readonly manifestBytes: number;
  readonly blobBytes: number;
}

/** A step from a manifest to one that lives as long as it does. */
interface Step {
  readonly to: Digest;
  readonly relation: "child" | "referrer";
}

type Steps = ReadonlyMap<Digest, readonly Step[]>;

/**
 * What removing these tags lets go of: the manifests and blobs that the repository's tags reach now and the others do not.
 * A tag reaches its manifest, the children of an index, and the referrers of what it reaches; not the subject of a
 * referrer. A manifest that no tag reaches now is on its way out already: it is no effect of this, and holds nothing.
 *
 * "In the end" is when untagged manifests have had their time; where they never go, nothing is freed. Time and memory grow
 * with the graph.
 */
export function effectOf(graph: RepositoryGraph, removedTags: readonly RemovedTag[]): Effect {
  const rules = new Map(removedTags.map(({ tag, rule }) => [tag, rule]));
  const steps = stepsOf(graph);
  const sizes = new Map(graph.manifests.map(({ digest, size }) => [digest, size]));
  const kept = reach(
    graph.tags.filter(({ tag }) => !rules.has(tag)).map(({ digest }) => [digest, ""]),
    steps,
    new Map(),
  );
  const untagged = graph.tags
    .filter(({ tag }) => rules.has(tag))
    .map(({ tag, digest }): [Digest, string] => [digest, untaggedBy(rules.get(tag))]);
  const lost = reach(untagged, steps, kept);
  const manifests = [...lost].flatMap(([digest, reason]) => {
    const size = sizes.get(digest);
    return size === undefined ? [] : [{ digest, size, reason }];
  });
  const blobs = lostBlobs(graph, kept, lost);
  return { manifests, blobs, manifestBytes: sum(manifests), blobBytes: sum(blobs) };
}

function untaggedBy(rule: RemovedTag["rule"]): string {
  if (rule === undefined) return "untagged";
  return `untagged by rule ${typeof rule === "number" ? rule + 1 : rule}`;
}

function stepsOf({ manifests, references }: RepositoryGraph): Steps {
  const steps = new Map<Digest, Step[]>();
  const add = (from: Digest, step: Step) => {
    const known = steps.get(from);
    if (known) known.push(step);
    else steps.set(from, [step]);
  };
  for (const { manifest, role, digest } of references) {
    if (role === "manifest") add(manifest, { to: digest, relation: "child" });
  }
  for (const { digest, subject } of manifests) {
    if (subject !== undefined) add(subject, { to: digest, relation: "referrer" });
  }
  return steps;
}

/** All that these reach, each with the reason by which it was reached first, and nothing that was reached before. */
function reach(
  roots: readonly (readonly [Digest, string])[],
  steps: Steps,
  before: ReadonlyMap<Digest, string>,
): Map<Digest, string> {
  const reached = new Map<Digest, string>();
  const visit = (digest: Digest, reason: string) => {
    if (!before.has(digest) && !reached.has(digest)) reached.set(digest, reason);
  };
  for (const [digest, reason] of roots) visit(digest, reason);
  // A Map goes on to what is added while it is walked.
  for (const digest of reached.keys()) {
    for (const { to, relation } of steps.get(digest) ?? []) visit(to, `${relation} of ${digest}`);
  }
  return reached;
}

/** Blobs that what is lost holds, and nothing that is kept: whatever the role, as an index holds blobs too. */
function lostBlobs({ references, blobs }: RepositoryGraph, kept: Map<Digest, string>, lost: Map<Digest, string>) {
  const heldBy = (manifests: ReadonlyMap<Digest, string>) =>
    new Set(references.filter(({ manifest }) => manifests.has(manifest)).map(({ digest }) => digest));
  const [heldByKept, heldByLost] = [heldBy(kept), heldBy(lost)];
  return blobs.filter(
    ({ digest, isHeldElsewhere }) => !isHeldElsewhere && heldByLost.has(digest) && !heldByKept.has(digest),
  );
}

function sum(parts: readonly { readonly size: number }[]): number {
  return parts.reduce((total, { size }) => total + size, 0);
}
