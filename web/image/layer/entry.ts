import type { TarHeader } from "modern-tar";

/** What a layer's archive says of one file. */
export interface LayerEntry {
  /** As the archive has it, hostile or not. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "device" | "fifo";
  /** Bytes. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Where a link leads. */
  readonly target: string | undefined;
}

/** PATH_MAX of Linux: no file system takes more. An archive can have names of megabytes. */
export const PATH_MAX = 4096;

const TYPES: Partial<Record<NonNullable<TarHeader["type"]>, LayerEntry["type"]>> = {
  directory: "directory",
  symlink: "symlink",
  link: "hardlink",
  "character-device": "device",
  "block-device": "device",
  fifo: "fifo",
};

/** The entry that a header of the archive is of. */
export function toEntry({ name, type = "file", size, mode, uid, gid, linkname }: TarHeader): LayerEntry {
  return {
    ...{ path: cut(name), type: TYPES[type] ?? "file", size },
    ...{ mode: mode ?? 0, uid: uid ?? 0, gid: gid ?? 0 },
    target: linkname === undefined || linkname === "" ? undefined : cut(linkname),
  };
}

const cut = (path: string): string => (path.length > PATH_MAX ? `${path.slice(0, PATH_MAX)}…` : path);

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** The parts of a path that lead somewhere. `..` stays, so that one sees it. */
export const partsOf = (path: string): string[] => path.split("/").filter((part) => part !== "" && part !== ".");

/** What a name does to the layers below; image spec, "Representing Changes". */
export function whiteoutOf(name: string): { readonly removes: string } | "opaque" | undefined {
  if (name === OPAQUE) return "opaque";
  // Names of AUFS itself begin so, and mean nothing to others.
  if (!name.startsWith(WHITEOUT) || name.startsWith(WHITEOUT + WHITEOUT)) return undefined;
  return name.length > WHITEOUT.length ? { removes: name.slice(WHITEOUT.length) } : undefined;
}

const KINDS = { directory: "d", symlink: "l", hardlink: "h", device: "c", fifo: "p", file: "-" } as const;

/** `drwxr-xr-x`, as tar and ls write it. */
export function formatMode({ type, mode }: Pick<LayerEntry, "type" | "mode">): string {
  const special = [mode & 0o4000, mode & 0o2000, mode & 0o1000];
  const triples = [6, 3, 0].map((shift, index) => {
    const bits = mode >> shift;
    const letter = index === 2 ? "t" : "s";
    const executes = (bits & 1) !== 0;
    const last = special[index] === 0 ? (executes ? "x" : "-") : executes ? letter : letter.toUpperCase();
    return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${last}`;
  });
  return KINDS[type] + triples.join("");
}

/** Characters that move the cursor, turn the writing round, or cannot be seen. */
// eslint-disable-next-line no-control-regex -- that is what it is for
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A name in which everything can be seen: `a\u001b[31m`. */
export const printable = (name: string): string =>
  name.replaceAll(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
