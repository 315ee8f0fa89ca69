import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyLayer, compareWithBelow } from "../../web/image/layer/changes.ts";
import type { LayerEntry } from "../../web/image/layer/entry.ts";
import { pathOf, Tree, type TreeNode } from "../../web/image/layer/tree.ts";
import { entry } from "./support/archive.ts";

function nodesOf(root: TreeNode): TreeNode[] {
  return [...root.children.values()].flatMap((child) => [child, ...nodesOf(child)]);
}

const treeOf = (layers: readonly (readonly LayerEntry[])[], max?: number): Tree => {
  const tree = new Tree(max);
  for (const layer of layers) applyLayer(tree, layer);
  return tree;
};

const pathsOf = (tree: Tree): string[] =>
  nodesOf(tree.root)
    .map((node) => pathOf(node))
    .sort();

/** What became of each file, by its path. */
function changesOf(below: readonly LayerEntry[], layer: readonly LayerEntry[]): Record<string, string | undefined> {
  const { tree } = compareWithBelow(treeOf([below]), layer);
  return Object.fromEntries(nodesOf(tree.root).map((node) => [pathOf(node), node.change]));
}

describe("layers one upon another", () => {
  const base = [entry("a/"), entry("a/1", { size: 10 }), entry("a/2", { size: 20 }), entry("b", { size: 5 })];

  it.each<[string, LayerEntry[], string[]]>([
    ["add", [entry("c")], ["/a", "/a/1", "/a/2", "/b", "/c"]],
    ["delete a file", [entry("a/.wh.1")], ["/a", "/a/2", "/b"]],
    ["delete a directory with all that is in it", [entry(".wh.a")], ["/b"]],
    ["empty a directory", [entry("a/.wh..wh..opq"), entry("a/3")], ["/a", "/a/3", "/b"]],
    ["empty a directory, said after its new content", [entry("a/3"), entry("a/.wh..wh..opq")], ["/a", "/a/3", "/b"]],
    ["put a file in the place of a directory", [entry("a")], ["/a", "/b"]],
    ["put a directory upon a directory", [entry("a/", { mode: 0o700 })], ["/a", "/a/1", "/a/2", "/b"]],
    ["delete what is not there", [entry("x/.wh.y")], ["/a", "/a/1", "/a/2", "/b"]],
  ])("%s", (_, layer, paths) => {
    const tree = treeOf([base, layer]);
    expect(pathsOf(tree)).toEqual(paths);
    expect(tree.count).toBe(paths.length);
  });

  it("have the sums of what is left", () => {
    const tree = treeOf([base, [entry("a/.wh.1"), entry("b", { size: 7 })]]);
    expect(tree.root.size).toBe(27);
    expect(tree.find(["a"])?.size).toBe(20);
  });
});

describe("against what is below, a layer's file", () => {
  const below = [entry("a/"), entry("a/1", { size: 10 }), entry("a/d/"), entry("a/d/2"), entry("b")];

  it.each<[string, LayerEntry[], Record<string, string | undefined>]>([
    ["that is new is added", [entry("c")], { "/c": "added" }],
    ["that was there is changed", [entry("b", { size: 1 })], { "/b": "changed" }],
    [
      "in a directory that stays as it was leaves that unmarked",
      [entry("a/"), entry("a/3")],
      { "/a": undefined, "/a/3": "added" },
    ],
    ["that is a directory with another mode is changed", [entry("a/", { mode: 0o700 })], { "/a": "changed" }],
    ["that is white out is deleted", [entry("a/.wh.1")], { "/a": undefined, "/a/1": "deleted" }],
    [
      "in a directory that is white out is deleted",
      [entry(".wh.a")],
      { "/a": "deleted", "/a/1": "deleted", "/a/d": "deleted", "/a/d/2": "deleted" },
    ],
    [
      "in an opaque directory is deleted, if it does not come again",
      [entry("a/.wh..wh..opq"), entry("a/1")],
      { "/a": undefined, "/a/1": "changed", "/a/d": "deleted", "/a/d/2": "deleted" },
    ],
    [
      "stays one where the layer empties a directory below it",
      [entry("a/d/.wh..wh..opq"), entry("a")],
      { "/a": "changed" },
    ],
    ["that AUFS keeps for itself deletes nothing", [entry(".wh..wh.b")], { "/.wh..wh.b": "added" }],
    ["in place of a directory is changed", [entry(".wh.a"), entry("a")], { "/a": "changed" }],
  ])("%s", (_, layer, changes) => {
    expect(changesOf(below, layer)).toEqual(changes);
  });

  it("is counted, and what was deleted counts for no size above it", () => {
    const { tree, counts } = compareWithBelow(treeOf([below]), [entry("a/.wh.1"), entry("a/3", { size: 4 })]);
    expect(counts).toEqual({ added: 1, changed: 0, deleted: 1 });
    expect(tree.find(["a"])?.size).toBe(4);
    expect(tree.find(["a", "1"])?.size).toBe(10);
  });

  const name = fc.constantFrom("a", "b", "c");
  const path = fc.array(name, { minLength: 1, maxLength: 3 });
  const file = fc.oneof(
    path.map((parts) => entry(parts.join("/"), { size: 1 })),
    path.map((parts) => entry(`${parts.join("/")}/`)),
    path.map((parts) => entry([...parts.slice(0, -1), `.wh.${parts.at(-1) ?? ""}`].join("/"))),
    path.map((parts) => entry([...parts, ".wh..wh..opq"].join("/"))),
  );
  // No archive of a file system has a file that files are in.
  const isWhole = (files: readonly LayerEntry[]) =>
    files.every(({ path: at, type }) => type !== "file" || files.every((other) => !other.path.startsWith(`${at}/`)));
  const isWhiteout = ({ path: at }: LayerEntry) => at.includes(".wh.");
  const layer = fc.array(file, { maxLength: 8 }).filter((files) => isWhole(files.filter((each) => !isWhiteout(each))));

  it("is there afterwards unless it was deleted, and was there before unless it was added", () => {
    fc.assert(
      fc.property(layer, layer, (first, second) => {
        const before = new Set(pathsOf(treeOf([first])));
        const after = new Set(pathsOf(treeOf([first, second])));
        const { tree } = compareWithBelow(treeOf([first]), second);
        const marked = nodesOf(tree.root);
        for (const node of marked) {
          const at = pathOf(node);
          expect(after.has(at)).toBe(node.change !== "deleted");
          if (node.change !== undefined) expect(before.has(at)).toBe(node.change !== "added");
        }
        const known = new Set(marked.map((node) => pathOf(node)));
        for (const at of after) if (!before.has(at)) expect(known).toContain(at);
      }),
    );
  });
});

describe("a tree", () => {
  it("says that it is full, and takes no more", () => {
    const tree = treeOf([[entry("a"), entry("b/c"), entry("d")]], 3);
    expect(pathsOf(tree)).toEqual(["/a", "/b", "/b/c"]);
    expect(tree.isFull).toBe(true);
  });

  it("shows names that would lead out of it, and takes none for its own parts", () => {
    const tree = treeOf([[entry("../../etc/passwd"), entry("__proto__/x"), entry("/abs"), entry("./")]]);
    expect(pathsOf(tree)).toEqual([
      "/..",
      "/../..",
      "/../../etc",
      "/../../etc/passwd",
      "/__proto__",
      "/__proto__/x",
      "/abs",
    ]);
  });

  it("has the sums of its files, whatever comes in whatever order", () => {
    const path = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 4 });
    const files = fc.array(fc.tuple(path, fc.nat(9), fc.boolean()));
    fc.assert(
      fc.property(files, (list) => {
        const tree = treeOf([
          list.map(([parts, size, isDirectory]) =>
            entry(parts.join("/") + (isDirectory ? "/" : ""), { size: isDirectory ? 0 : size }),
          ),
        ]);
        const nodes = nodesOf(tree.root);
        expect(tree.count).toBe(nodes.length);
        const sum = nodes.reduce(
          (total, { entry: own, children }) => total + (children.size > 0 ? 0 : (own?.size ?? 0)),
          0,
        );
        expect(tree.root.size).toBe(sum);
      }),
    );
  });
});
