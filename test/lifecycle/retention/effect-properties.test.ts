import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BlobNode,
  effectOf,
  type ManifestNode,
  type RepositoryGraph,
} from "../../../src/lifecycle/retention/effect.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { draw, removed, UNTAGGED } from "./drawing.ts";

const SIZE = 7;
const MANIFESTS = Array.from("ABCDEFG");
const BLOBS = Array.from("abcdef");

/** Graphs without cycles: a manifest holds, and refers to, only manifests before it, as digests make sure. */
const graphs: fc.Arbitrary<RepositoryGraph> = fc
  .record({
    holds: fc.array(fc.subarray([...MANIFESTS, ...BLOBS]), { minLength: SIZE, maxLength: SIZE }),
    subjects: fc.array(fc.option(fc.constantFrom(...MANIFESTS)), { minLength: SIZE, maxLength: SIZE }),
    tags: fc.dictionary(fc.constantFrom("one", "two", "three", "four"), fc.constantFrom(...MANIFESTS)),
    elsewhere: fc.subarray(BLOBS),
  })
  .map(({ holds, subjects, tags, elsewhere }) => {
    const manifests = MANIFESTS.map((name, index): [string, string] => {
      const held = (holds[index] ?? []).filter((letter) => letter >= "a" || letter < name).join("");
      const subject = subjects[index];
      return [name, subject && subject < name ? `${held}^${subject}` : held];
    });
    return draw({ tags, manifests: Object.fromEntries(manifests), elsewhere: elsewhere.join("") });
  });
const removals = fc.subarray(["one", "two", "three", "four"]);

/** All that lives by a tag, found by looking at everything again until nothing changes. */
function living({ tags, manifests, references }: RepositoryGraph, gone: readonly string[]): Set<Digest> {
  const alive = new Set(tags.filter(({ tag }) => !gone.includes(tag)).map(({ digest: name }) => name));
  for (let before = -1; before !== alive.size;) {
    before = alive.size;
    for (const { manifest, digest: held } of references) if (alive.has(manifest)) alive.add(held);
    for (const { digest: name, subject } of manifests) if (subject && alive.has(subject)) alive.add(name);
  }
  return alive;
}

/** Bytes stored for these, when all else is gone. */
const bytesOf = (nodes: readonly (ManifestNode | BlobNode)[], alive: ReadonlySet<Digest>) =>
  nodes.reduce((total, node) => {
    const isStored = alive.has(node.digest) || ("isHeldElsewhere" in node && node.isHeldElsewhere);
    return total + (isStored ? node.size : 0);
  }, 0);

const namesOf = (nodes: readonly { digest: Digest }[]) => nodes.map(({ digest: name }) => name);

describe("whatever the graph", () => {
  it("nothing goes that a tag which stays reaches", () => {
    fc.assert(
      fc.property(graphs, removals, (graph, tags) => {
        const alive = living(graph, tags);
        const effect = effectOf(graph, removed(...tags));
        for (const name of namesOf([...effect.manifests, ...effect.blobs])) expect(alive.has(name)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it("exactly that goes which lived by the tags, and the bytes are those no longer stored", () => {
    fc.assert(
      fc.property(graphs, removals, (graph, tags) => {
        const [before, after] = [living(graph, []), living(graph, tags)];
        const effect = effectOf(graph, removed(...tags));
        const lost = graph.manifests.filter(({ digest: name }) => before.has(name) && !after.has(name));
        expect(namesOf(effect.manifests).sort()).toEqual(namesOf(lost).sort());
        expect(effect.manifestBytes).toBe(bytesOf(graph.manifests, before) - bytesOf(graph.manifests, after));
        expect(effect.blobBytes).toBe(bytesOf(graph.blobs, before) - bytesOf(graph.blobs, after));
        expect(new Set(namesOf(effect.blobs)).size).toBe(effect.blobs.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it("each reason names a tag's rule, or a manifest that goes before it and holds it", () => {
    fc.assert(
      fc.property(graphs, removals, (graph, tags) => {
        const seen = new Set<string>();
        for (const { digest: name, reason } of effectOf(graph, removed(...tags)).manifests) {
          const [relation, holder = ""] = reason.split(" of ");
          const isTagged = graph.tags.some((each) => tags.includes(each.tag) && each.digest === name);
          expect(reason === UNTAGGED ? isTagged : seen.has(holder), reason).toBe(true);
          if (relation === "child") {
            expect(graph.references.some((edge) => edge.manifest === holder && edge.digest === name)).toBe(true);
          } else if (relation === "referrer") {
            expect(graph.manifests.find((each) => each.digest === name)?.subject).toBe(holder);
          }
          seen.add(name);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("taking tags one after the other frees what taking them together does", () => {
    fc.assert(
      fc.property(graphs, removals, (graph, tags) => {
        let left = graph;
        let freed = 0;
        for (const tag of tags) {
          const { manifestBytes, blobBytes } = effectOf(left, removed(tag));
          freed += manifestBytes + blobBytes;
          left = { ...left, tags: left.tags.filter((each) => each.tag !== tag) };
        }
        const { manifestBytes, blobBytes } = effectOf(graph, removed(...tags));
        expect(freed).toBe(manifestBytes + blobBytes);
      }),
    );
  });
});
