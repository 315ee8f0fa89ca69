import { describe, expect, it } from "vitest";
import { findMatches, moveBy, newSorter, type Row, rowsOf, type TreeOrder } from "../../web/image/layer/rows.ts";
import { Tree } from "../../web/image/layer/tree.ts";
import { entry } from "./support/archive.ts";

const tree = new Tree();
for (const file of [
  entry("etc/"),
  entry("etc/hosts", { size: 5 }),
  entry("usr/lib/big", { size: 90 }),
  entry("usr/lib/small", { size: 1 }),
  entry("README", { size: 9 }),
]) {
  tree.add(file);
}

function rows({
  open = [],
  query = "",
  order = "name",
}: {
  open?: string[];
  query?: string;
  order?: TreeOrder;
}): Row[] {
  const toggled = new Set(open.flatMap((path) => tree.find(path.split("/")) ?? []));
  return rowsOf(tree.root, { toggled, matches: findMatches(tree.root, query), sort: newSorter(order) });
}

const linesOf = (list: readonly Row[]) => list.map(({ node, level }) => "  ".repeat(level - 1) + node.name);

describe("the lines of a tree", () => {
  it("are closed at first: directories before files, or what is largest first", () => {
    expect(linesOf(rows({}))).toEqual(["etc", "usr", "README"]);
    expect(linesOf(rows({ order: "size" }))).toEqual(["usr", "README", "etc"]);
  });

  it("show what is in an open directory", () => {
    const list = rows({ open: ["usr", "usr/lib"], order: "size" });
    expect(linesOf(list)).toEqual(["usr", "  lib", "    big", "    small", "README", "etc"]);
    expect(list[3]).toMatchObject({ level: 3, position: 2, siblings: 2, isExpandable: false });
  });

  it("of a search are what it finds, and the way there, which can be closed", () => {
    expect(linesOf(rows({ query: "BIG" }))).toEqual(["usr", "  lib", "    big"]);
    expect(linesOf(rows({ query: "big", open: ["usr/lib"] }))).toEqual(["usr", "  lib"]);
    expect(linesOf(rows({ query: "nothing" }))).toEqual([]);
  });
});

describe("a key", () => {
  const list = rows({ open: ["usr"] });
  const at = (name: string) => list.findIndex(({ node }) => node.name === name);

  it.each([
    ["ArrowDown", "etc", "usr", false],
    ["ArrowUp", "etc", "etc", false],
    ["ArrowRight", "etc", "etc", true],
    ["ArrowRight", "usr", "lib", false],
    ["ArrowRight", "README", "README", false],
    ["ArrowLeft", "usr", "usr", true],
    ["ArrowLeft", "lib", "usr", false],
    ["ArrowLeft", "README", "README", false],
    ["Home", "README", "etc", false],
    ["End", "etc", "README", false],
    ["PageDown", "etc", "README", false],
    ["Enter", "etc", "etc", true],
    ["Enter", "README", "README", false],
  ])("%s on %s leads to %s; opens or closes: %s", (key, from, to, toggles) => {
    expect(moveBy(key, list, at(from), 10)).toEqual({ to: at(to), toggles });
  });

  it("of another meaning is left alone", () => {
    expect(moveBy("a", list, 0, 10)).toBeUndefined();
    expect(moveBy("End", [], 0, 10)).toBeUndefined();
  });
});
