import { type LayerEntry, partsOf } from "./entry.ts";

/** What became of a file from the layers below to this one. */
export type Change = "added" | "changed" | "deleted";

/** A name in a layer. */
export interface TreeNode {
  readonly name: string;
  readonly parent: TreeNode | undefined;
  /** Undefined for a directory that only its content speaks of. */
  entry: LayerEntry | undefined;
  children: Map<string, TreeNode>;
  /** Bytes of it, and of all that is in it. */
  size: number;
  change: Change | undefined;
}

/** Names of which no more are kept; a browser has memory for these. */
export const NODES_MAX = 500_000;
/** Characters of all paths together. */
const CHARACTERS_MAX = 64_000_000;

const newNode = (name: string, parent: TreeNode | undefined): TreeNode => ({
  ...{ name, parent },
  ...{ entry: undefined, children: new Map(), size: 0, change: undefined },
});

/** True for what can have children: a directory, or what only its content speaks of. */
export const isDirectory = ({ entry }: TreeNode): boolean => entry === undefined || entry.type === "directory";

/** `/usr/bin/env`. */
export function pathOf(node: TreeNode): string {
  const names: string[] = [];
  for (let at = node; at.parent !== undefined; at = at.parent) names.push(at.name);
  return `/${names.reverse().join("/")}`;
}

/** The files of a layer, or of several one upon another. */
export class Tree {
  readonly root: TreeNode = newNode("", undefined);
  /** How many names it has. */
  count = 0;
  readonly #countMax: number;
  #characters = 0;

  constructor(countMax = NODES_MAX) {
    this.#countMax = countMax;
  }

  /** True once it takes no more: what was given after that is not in it. */
  get isFull(): boolean {
    return this.count >= this.#countMax || this.#characters >= CHARACTERS_MAX;
  }

  /**
   * Puts a file where it belongs, in the place of what is there, as unpacking would: a directory keeps what is in it, if it is put
   * upon a directory. Undefined when the tree is full.
   */
  add(entry: LayerEntry): TreeNode | undefined {
    const node = this.open(partsOf(entry.path));
    if (node === undefined) return undefined;
    this.#characters += entry.path.length;
    if (entry.type !== "directory") this.clear(node);
    resize(node, entry.size - (node.entry?.size ?? 0));
    node.entry = entry;
    return node;
  }

  /** The node of a path, made if there is none. Undefined when the tree is full. */
  open(parts: readonly string[]): TreeNode | undefined {
    let node = this.root;
    for (const name of parts) {
      let child = node.children.get(name);
      if (child === undefined) {
        if (this.isFull) return undefined;
        if (!isDirectory(node)) this.#becomeDirectory(node);
        child = newNode(name, node);
        node.children.set(name, child);
        this.count += 1;
      }
      node = child;
    }
    return node;
  }

  /** The node of a path, if there is one. */
  find(parts: readonly string[]): TreeNode | undefined {
    return parts.reduce<TreeNode | undefined>((node, name) => node?.children.get(name), this.root);
  }

  /** Takes a name away, with all that is in it. */
  remove(node: TreeNode): void {
    if (node.parent === undefined) return;
    this.clear(node);
    resize(node, -node.size);
    node.parent.children.delete(node.name);
    this.count -= 1;
  }

  /** Takes away all that is in a directory. */
  clear(node: TreeNode): void {
    if (node.children.size === 0) return;
    const own = node.entry?.size ?? 0;
    this.count -= countBelow(node);
    node.children = new Map();
    resize(node, own - node.size);
  }

  /** A file that has content was a link to a directory, or is a mistake. */
  #becomeDirectory(node: TreeNode): void {
    resize(node, -(node.entry?.size ?? 0));
    node.entry = undefined;
  }
}

function resize(node: TreeNode, bytes: number): void {
  if (bytes === 0) return;
  for (let at: TreeNode | undefined = node; at !== undefined; at = at.parent) at.size += bytes;
}

function countBelow(node: TreeNode): number {
  let count = 0;
  const left = [...node.children.values()];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    count += 1;
    for (const child of at.children.values()) left.push(child);
  }
  return count;
}
