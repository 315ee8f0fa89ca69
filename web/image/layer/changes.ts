import { type LayerEntry, partsOf, whiteoutOf } from "./entry.ts";
import { type Change, isDirectory, NODES_MAX, Tree, type TreeNode } from "./tree.ts";

/** A whiteout of a layer: what it takes from the layers below. */
interface Whiteout {
  readonly parts: readonly string[];
  /** True where the directory itself stays, and nothing of what was in it. */
  readonly isOpaque: boolean;
}

interface Split {
  /** What is taken away whole comes before what is taken out of it. */
  readonly whiteouts: readonly Whiteout[];
  readonly files: readonly LayerEntry[];
}

/** How deep in the tree lies what it takes: of a directory that is emptied, that is one level further down. */
const depthOf = ({ parts, isOpaque }: Whiteout): number => parts.length + Number(isOpaque);

/** Whiteouts are for the layers below, wherever in the archive they stand: never for files of their own layer. */
function split(entries: Iterable<LayerEntry>): Split {
  const whiteouts: Whiteout[] = [];
  const files: LayerEntry[] = [];
  for (const entry of entries) {
    const parts = partsOf(entry.path);
    const whiteout = whiteoutOf(parts.at(-1) ?? "");
    const directory = parts.slice(0, -1);
    if (whiteout === undefined) files.push(entry);
    else if (whiteout === "opaque") whiteouts.push({ parts: directory, isOpaque: true });
    else whiteouts.push({ parts: [...directory, whiteout.removes], isOpaque: false });
  }
  whiteouts.sort((a, b) => depthOf(a) - depthOf(b));
  return { whiteouts, files };
}

/** Puts a layer upon those below it, as a runtime does. */
export function applyLayer(below: Tree, entries: Iterable<LayerEntry>): void {
  const { whiteouts, files } = split(entries);
  for (const { parts, isOpaque } of whiteouts) {
    const node = below.find(parts);
    if (node === undefined) continue;
    if (isOpaque) below.clear(node);
    else below.remove(node);
  }
  for (const file of files) below.add(file);
}

/** How many files a layer changes. */
export type ChangeCounts = Record<Change, number>;

/** A layer and what it takes away, each file marked with what became of it. */
export interface Changes {
  readonly tree: Tree;
  readonly counts: ChangeCounts;
}

/**
 * Marks the files of a layer by what lies below it. A file that is there and was there before is changed: its content may be the same, but
 * the layer has it again. A directory is changed if its mode or owner is. What was deleted stands where it was; it counts for no size.
 */
export function compareWithBelow(below: Tree, entries: Iterable<LayerEntry>, countMax = NODES_MAX): Changes {
  const { whiteouts, files } = split(entries);
  const tree = new Tree(countMax);
  for (const file of files) {
    const node = tree.add(file);
    if (node?.parent) node.change = changeOf(below.find(partsOf(file.path)), file);
  }
  for (const { parts, isOpaque } of whiteouts) {
    const old = below.find(parts);
    // A layer that has a file where a whiteout is for what was below it took that away already.
    if (old === undefined || isBelowFile(tree, parts)) continue;
    if (!isOpaque) bury(tree, old, parts);
    else for (const child of old.children.values()) bury(tree, child, [...parts, child.name]);
  }
  return { tree, counts: countChanges(tree.root) };
}

function isBelowFile(tree: Tree, parts: readonly string[]): boolean {
  return parts.some((_, length) => {
    const node = tree.find(parts.slice(0, length));
    return node !== undefined && !isDirectory(node);
  });
}

/** Puts what was deleted into the tree, but for what the layer has again. */
function bury(tree: Tree, old: TreeNode, parts: readonly string[]): void {
  const survivor = tree.find(parts);
  if (survivor === undefined) {
    const grave = tree.open(parts);
    if (grave === undefined) return;
    grave.entry = old.entry;
    // Not by way of the tree: the directories above have it no more.
    grave.size = old.size;
    grave.change = "deleted";
  } else if (!isDirectory(survivor)) {
    return;
  }
  for (const child of old.children.values()) bury(tree, child, [...parts, child.name]);
}

function countChanges(root: TreeNode): ChangeCounts {
  const counts: ChangeCounts = { added: 0, changed: 0, deleted: 0 };
  const left = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.change !== undefined) counts[node.change] += 1;
    for (const child of node.children.values()) left.push(child);
  }
  return counts;
}

function changeOf(old: TreeNode | undefined, file: LayerEntry): Change | undefined {
  if (old === undefined) return "added";
  if (file.type !== "directory" || !isDirectory(old)) return "changed";
  if (old.entry === undefined) return undefined;
  const { mode, uid, gid } = old.entry;
  return mode === file.mode && uid === file.uid && gid === file.gid ? undefined : "changed";
}
