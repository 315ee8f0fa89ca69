import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { formatBytes, plural } from "../../format.ts";
import { formatMode, printable, whiteoutOf } from "../../image/layer/entry.ts";
import { findMatches, moveBy, newSorter, type Row, rowsOf, type TreeOrder } from "../../image/layer/rows.ts";
import { pathOf, type Tree, type TreeNode } from "../../image/layer/tree.ts";
import { SearchField } from "../lists/search-field.tsx";

/** Pixels of a line: `.tree-row` in image.css. */
const ROW_HEIGHT = 28;
/** Lines that are drawn beyond what is seen. */
const BEYOND = 10;

interface Props {
  readonly tree: Tree;
  /** Whether files are marked with what became of them. */
  readonly hasChanges: boolean;
}

/** A tree of files. Only the lines that are seen are drawn, so that it may have hundreds of thousands. */
export function LayerTree({ tree, hasChanges }: Props) {
  const [order, setOrder] = useState<TreeOrder>("size");
  const [query, setQuery] = useState("");
  const [toggled, setToggled] = useState<ReadonlySet<TreeNode>>(() => openAtFirst(tree.root));
  const sort = useMemo(() => newSorter(order), [order]);
  const matches = useMemo(() => findMatches(tree.root, query), [tree, query]);
  const rows = useMemo(() => rowsOf(tree.root, { toggled, matches, sort }), [tree, toggled, matches, sort]);

  if (tree.count === 0) return <p class="quiet">There are no files in this layer.</p>;
  const search = (text: string) => {
    // In a search all is open but what was closed, and else the other way round.
    if ((text.trim() === "") !== (query.trim() === ""))
      setToggled(text.trim() === "" ? openAtFirst(tree.root) : new Set());
    setQuery(text);
  };
  return (
    <div class="stack-tight">
      <div class="row">
        <SearchField label="Search files" value={query} onInput={search} />
        <label class="row small">
          Order
          <select value={order} onChange={(event) => setOrder(event.currentTarget.value === "name" ? "name" : "size")}>
            <option value="size">Largest first</option>
            <option value="name">Name</option>
          </select>
        </label>
        <span class="quiet small" role="status">
          {matches && rows.length === 0 ? "Nothing is called so" : plural(tree.count, "name")}
        </span>
      </div>
      <Lines
        rows={rows}
        hasChanges={hasChanges}
        onToggle={(node) => {
          const next = new Set(toggled);
          if (!next.delete(node)) next.add(node);
          setToggled(next);
        }}
      />
    </div>
  );
}

/** A way that does not part is open: `usr/local/lib` as one. */
function openAtFirst(root: TreeNode): ReadonlySet<TreeNode> {
  const open = new Set<TreeNode>();
  for (let node = root; node.children.size === 1;) {
    const [only] = node.children.values();
    if (only === undefined || only.children.size === 0) break;
    open.add(only);
    node = only;
  }
  return open;
}

interface LinesProps {
  readonly rows: readonly Row[];
  readonly hasChanges: boolean;
  readonly onToggle: (node: TreeNode) => void;
}

function Lines({ rows, hasChanges, onToggle }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(0);
  const [chosen, setChosen] = useState(0);
  const active = Math.min(chosen, rows.length - 1);
  useEffect(() => setHeight(box.current?.clientHeight ?? 0), [rows.length]);

  const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - BEYOND);
  const last = Math.ceil((top + height) / ROW_HEIGHT) + BEYOND;
  const shown = rows.slice(first, last).map((row, index) => ({ row, index: first + index }));
  // The line that the keyboard is on is there, wherever one has scrolled.
  const away = rows[active];
  if (away && (active < first || active >= last)) shown.push({ row: away, index: active });

  const choose = (index: number) => {
    setChosen(index);
    const element = box.current;
    if (!element) return;
    const y = index * ROW_HEIGHT;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + ROW_HEIGHT > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + ROW_HEIGHT - element.clientHeight;
    }
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(height / ROW_HEIGHT) - 1);
    const move = moveBy(event.key, rows, active, page);
    if (!move) return;
    event.preventDefault();
    choose(move.to);
    const node = rows[move.to]?.node;
    if (move.toggles && node) onToggle(node);
  };
  return (
    <>
      <div
        ref={box}
        class="tree"
        role="tree"
        aria-label="Files of the layer"
        aria-activedescendant={rows.length > 0 ? `${id}-${active}` : undefined}
        tabIndex={0}
        onKeyDown={press}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <div role="none" class="tree-lines" style={{ height: `${rows.length * ROW_HEIGHT}px` }}>
          {shown.map(({ row, index }) => (
            <Line
              key={index}
              id={`${id}-${index}`}
              row={row}
              top={index * ROW_HEIGHT}
              isActive={index === active}
              hasChanges={hasChanges}
              onClick={() => {
                choose(index);
                if (row.isExpandable) onToggle(row.node);
              }}
            />
          ))}
        </div>
      </div>
      {away && <Details node={away.node} />}
    </>
  );
}

interface LineProps {
  readonly id: string;
  readonly row: Row;
  readonly top: number;
  readonly isActive: boolean;
  readonly hasChanges: boolean;
  readonly onClick: () => void;
}

/** Deeper than this, a name would have no place. */
const INDENTED_LEVELS = 16;

function Line({ id, row, top, isActive, hasChanges, onClick }: LineProps) {
  const { node, level, position, siblings, isExpandable, isExpanded } = row;
  const { entry, change } = node;
  return (
    <div
      id={id}
      class={`tree-row ${change ?? ""}`}
      role="treeitem"
      aria-level={level}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-expanded={isExpandable ? isExpanded : undefined}
      aria-selected={isActive}
      style={{ top: `${top}px` }}
      onClick={onClick}
    >
      <span class="tree-name" style={{ paddingLeft: `${Math.min(level - 1, INDENTED_LEVELS) * 1.1}rem` }}>
        <span class="tree-mark" aria-hidden="true">
          {isExpandable ? (isExpanded ? "▾" : "▸") : ""}
        </span>
        <span class="tree-text">
          {printable(node.name)}
          {(entry === undefined || entry.type === "directory") && "/"}
          {entry?.target !== undefined && <span class="quiet"> → {printable(entry.target)}</span>}
        </span>
        <Meaning node={node} />
      </span>
      {hasChanges && change && <span class={`badge ${CHANGE_COLOURS[change]}`}>{change}</span>}
      <span class="tree-size">{formatBytes(node.size)}</span>
    </div>
  );
}

const CHANGE_COLOURS = { added: "good", changed: "warning", deleted: "danger" } as const;

/** What a name does beyond being there. */
function Meaning({ node: { name, entry } }: { readonly node: TreeNode }) {
  const whiteout = whiteoutOf(name);
  if (whiteout === "opaque") return <span class="badge danger">hides all that was here</span>;
  if (whiteout) return <span class="badge danger">deletes {printable(whiteout.removes)}</span>;
  if (name === "..") return <span class="badge warning">leads out of the image</span>;
  if (entry?.type === "hardlink") return <span class="badge">hard link</span>;
  if (entry?.type === "device" || entry?.type === "fifo") return <span class="badge">{entry.type}</span>;
  return null;
}

/** All that is known of the line that one is on. */
function Details({ node }: { readonly node: TreeNode }) {
  const { entry } = node;
  return (
    <p class="small tree-details">
      <code>{printable(pathOf(node))}</code>{" "}
      <span class="quiet">
        {entry
          ? `${formatMode(entry)}, owner ${entry.uid}:${entry.gid}, ${node.size.toLocaleString("en")} bytes`
          : `not in the archive itself, ${node.size.toLocaleString("en")} bytes in it`}
      </span>
    </p>
  );
}
