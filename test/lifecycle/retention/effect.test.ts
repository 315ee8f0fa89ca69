import { describe, expect, it } from "vitest";
import { type Effect, effectOf } from "../../../src/lifecycle/retention/effect.ts";
import type { Tag } from "../../../src/oci/reference.ts";
import { draw, type Drawing, removed, UNTAGGED } from "./drawing.ts";

/** What goes: each manifest with its reason, then the blobs. */
function shown({ manifests, blobs }: Effect): [Record<string, string>, string] {
  const letters = (text: string) => text.replaceAll("sha256:", "");
  return [
    Object.fromEntries(manifests.map(({ digest: name, reason }) => [letters(name), letters(reason)])),
    letters(blobs.map(({ digest: name }) => name).join("")),
  ];
}

describe("removing tags", () => {
  it.each<[string, Drawing, string[], Record<string, string>, string]>([
    ["none removes nothing", { tags: { one: "A" }, manifests: { A: "a" } }, [], {}, ""],
    ["takes the image and its blobs", { tags: { one: "A" }, manifests: { A: "ab" } }, ["one"], { A: UNTAGGED }, "ab"],
    ["leaves an image of another tag", { tags: { one: "A", two: "A" }, manifests: { A: "a" } }, ["one"], {}, ""],
    [
      "takes it with both",
      { tags: { one: "A", two: "A" }, manifests: { A: "a" } },
      ["one", "two"],
      { A: UNTAGGED },
      "a",
    ],
    [
      "leaves blobs that other images hold",
      { tags: { one: "A", two: "B" }, manifests: { A: "abc", B: "bcd" } },
      ["one"],
      { A: UNTAGGED },
      "a",
    ],
    [
      "leaves blobs that other repositories hold",
      { tags: { one: "A" }, manifests: { A: "abc" }, elsewhere: "b" },
      ["one"],
      { A: UNTAGGED },
      "ac",
    ],
    [
      "takes children, in any depth",
      { tags: { one: "A" }, manifests: { A: "BC", B: "D", C: "c", D: "dc" } },
      ["one"],
      { A: UNTAGGED, B: "child of A", C: "child of A", D: "child of B" },
      "cd",
    ],
    [
      "leaves children that another index holds",
      { tags: { one: "A", two: "B" }, manifests: { A: "CD", B: "DE", C: "c", D: "d", E: "e" } },
      ["one"],
      { A: UNTAGGED, C: "child of A" },
      "c",
    ],
    [
      "leaves children with tags of their own",
      { tags: { one: "A", amd64: "B" }, manifests: { A: "BC", B: "b", C: "c" } },
      ["one"],
      { A: UNTAGGED, C: "child of A" },
      "c",
    ],
    [
      "takes referrers, and theirs, and those of children",
      { tags: { one: "A" }, manifests: { A: "B", B: "b", C: "c^A", D: "d^C", E: "e^B" } },
      ["one"],
      { A: UNTAGGED, B: "child of A", C: "referrer of A", E: "referrer of B", D: "referrer of C" },
      "bcde",
    ],
    [
      "leaves referrers with tags of their own, which do not hold their subject",
      { tags: { one: "A", sig: "B" }, manifests: { A: "a", B: "b^A" } },
      ["one"],
      { A: UNTAGGED },
      "a",
    ],
    [
      "takes a tagged referrer, and leaves its subject",
      { tags: { one: "A", sig: "B" }, manifests: { A: "a", B: "b^A" } },
      ["sig"],
      {},
      "",
    ],
    [
      "leaves referrers of a child that stays",
      { tags: { one: "A", two: "B" }, manifests: { A: "C", B: "C", C: "c", D: "d^C" } },
      ["one"],
      { A: UNTAGGED },
      "",
    ],
    [
      "does not count what no tag reaches already, nor is held back by it",
      { tags: { one: "A" }, manifests: { A: "Ca", B: "Cab", C: "c" } },
      ["one"],
      { A: UNTAGGED, C: "child of A" },
      "ac",
    ],
    [
      "passes over what is absent",
      { tags: { one: "A", gone: "Z" }, manifests: { A: "YB", B: "b", C: "c^Y", D: "d^X" } },
      ["one", "gone", "unknown"],
      { A: UNTAGGED, B: "child of A", C: "referrer of Y" },
      "bc",
    ],
  ])("%s", (_what, drawing, tags, manifests, blobs) => {
    expect(shown(effectOf(draw(drawing), removed(...tags)))).toEqual([manifests, blobs]);
  });

  it("sums bytes, each blob once", () => {
    const graph = draw({ tags: { one: "A", two: "B", three: "C" }, manifests: { A: "ab", B: "bc", C: "cd" } });
    const { manifestBytes, blobBytes } = effectOf(graph, removed("one", "two"));
    expect({ manifestBytes, blobBytes }).toEqual({ manifestBytes: 1 + 2, blobBytes: 1000 + 2000 });
  });

  it("names the rule from 1 on, or none", () => {
    const graph = draw({ tags: { one: "A", two: "B" }, manifests: { A: "", B: "" } });
    const effect = effectOf(graph, [{ tag: "one" as Tag, rule: 2 }, { tag: "two" as Tag }]);
    expect(shown(effect)[0]).toEqual({ A: "untagged by rule 3", B: "untagged" });
  });

  it("takes blobs that an index lists among its manifests, as the caches of BuildKit do", () => {
    const graph = draw({ tags: { cache: "A", two: "B" }, manifests: { A: "ab", B: "b" } });
    const references = graph.references.map((edge) => ({ ...edge, role: "manifest" as const }));
    expect(shown(effectOf({ ...graph, references }, removed("cache")))).toEqual([{ A: UNTAGGED }, "a"]);
    expect(shown(effectOf({ ...graph, references }, removed("two")))).toEqual([{ B: UNTAGGED }, ""]);
  });
});
