import { isDirectory, type TreeNode } from "./tree.ts";

/** A line of the tree as it is shown. */
export interface Row {
  readonly node: TreeNode;
  /** From 1, as ARIA counts. */
  readonly level: number;
  /** Its place among its siblings, from 1, and how many they are. */
  readonly position: number;
  readonly siblings: number;
  readonly isExpandable: boolean;
  readonly isExpanded: boolean;
}

export type TreeOrder = "size" | "name";

const byName = (a: TreeNode, b: TreeNode): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const bySize = (a: TreeNode, b: TreeNode): number => b.size - a.size || byName(a, b);
const byDirectory = (a: TreeNode, b: TreeNode): number =>
  Number(isDirectory(b)) - Number(isDirectory(a)) || byName(a, b);

/** Sorts the content of directories, and keeps what it sorted: one directory can have very much in it. */
export function newSorter(order: TreeOrder): (node: TreeNode) => readonly TreeNode[] {
  const sorted = new WeakMap<TreeNode, readonly TreeNode[]>();
  return (node) => {
    const known = sorted.get(node);
    if (known) return known;
    const children = [...node.children.values()].sort(order === "size" ? bySize : byDirectory);
    sorted.set(node, children);
    return children;
  };
}

/** The names that a search finds, with the directories that they are in; undefined for no search. */
export function findMatches(root: TreeNode, query: string): ReadonlySet<TreeNode> | undefined {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return undefined;
  const found = new Set<TreeNode>();
  const left = [...root.children.values()];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.name.toLowerCase().includes(wanted)) {
      for (let at: TreeNode | undefined = node; at && !found.has(at); at = at.parent) found.add(at);
    }
    for (const child of node.children.values()) left.push(child);
  }
  return found;
}

interface View {
  /** Directories that are open; in a search, those that are closed: all that has a find in it is open at first. */
  readonly toggled: ReadonlySet<TreeNode>;
  readonly matches: ReadonlySet<TreeNode> | undefined;
  readonly sort: (node: TreeNode) => readonly TreeNode[];
}

/** All lines that are to be seen, from the top. */
export function rowsOf(root: TreeNode, { toggled, matches, sort }: View): Row[] {
  const rows: Row[] = [];
  const walk = (parent: TreeNode, level: number) => {
    const children = matches ? sort(parent).filter((node) => matches.has(node)) : sort(parent);
    children.forEach((node, index) => {
      const isExpandable = matches ? hasMatch(node, matches) : node.children.size > 0;
      const isExpanded = isExpandable && toggled.has(node) === (matches === undefined);
      rows.push({ node, level, position: index + 1, siblings: children.length, isExpandable, isExpanded });
      if (isExpanded) walk(node, level + 1);
    });
  };
  walk(root, 1);
  return rows;
}

function hasMatch(node: TreeNode, matches: ReadonlySet<TreeNode>): boolean {
  for (const child of node.children.values()) if (matches.has(child)) return true;
  return false;
}

/** Where a key leads from a line, and whether it opens or closes it: the keys of ARIA's tree pattern. Undefined for other keys. */
export function moveBy(
  key: string,
  rows: readonly Row[],
  at: number,
  page: number,
): { readonly to: number; readonly toggles: boolean } | undefined {
  const row = rows[at];
  if (row === undefined) return undefined;
  const go = (to: number) => ({ to: Math.max(0, Math.min(rows.length - 1, to)), toggles: false });
  switch (key) {
    case "ArrowDown":
      return go(at + 1);
    case "ArrowUp":
      return go(at - 1);
    case "PageDown":
      return go(at + page);
    case "PageUp":
      return go(at - page);
    case "Home":
      return go(0);
    case "End":
      return go(rows.length - 1);
    case "ArrowRight":
      if (!row.isExpandable) return go(at);
      return row.isExpanded ? go(at + 1) : { to: at, toggles: true };
    case "ArrowLeft":
      if (row.isExpanded) return { to: at, toggles: true };
      return go(parentOf(rows, at));
    case "Enter":
    case " ":
      return { to: at, toggles: row.isExpandable };
    default:
      return undefined;
  }
}

/** The line of the directory that a line is in; itself at the top. */
function parentOf(rows: readonly Row[], at: number): number {
  const level = rows[at]?.level ?? 1;
  for (let above = at - 1; above >= 0; above -= 1) if ((rows[above]?.level ?? 1) < level) return above;
  return at;
}
