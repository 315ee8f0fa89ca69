import { OciError } from "./error.ts";
import { tarChecksum } from "./tar.ts";

/** Longer names have no part in any image's archive: `blobs/sha512/` and a digest are 141 bytes. */
const PATH_MAX_LENGTH = 255;

/** What the header of an entry says, before records that came with it have their say. */
export interface TarHeader {
  readonly name: string;
  readonly linkName: string;
  /** Bytes of content. */
  readonly size: number;
  readonly type: TarEntryType;
}

export type TarEntryType = "file" | "hard-link" | "symbolic-link" | "directory" | "pax" | "long-name" | "long-link";

const TYPES: Readonly<Record<string, TarEntryType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hard-link",
  "2": "symbolic-link",
  "5": "directory",
  x: "pax",
  L: "long-name",
  K: "long-link",
};

/** An archive that cannot be read: the message says what of it. */
export function malformedArchive(what: string, detail?: unknown): OciError {
  return new OciError("BLOB_UPLOAD_INVALID", { message: `the archive is malformed: ${what}`, detail });
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformedArchive("a name in it is not UTF-8");
  }
}

/** The text of a field, which ends with the field or a NUL. */
export function readTarText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return decodeText(end < 0 ? field : field.subarray(0, end));
}

/** A number in octal digits, or, as GNU tar has it for large ones, in binary after a first bit of 1. */
function readNumber(field: Uint8Array): number {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    const [first = 0, ...rest] = field;
    const value = rest.reduce((sum, byte) => sum * 256 + byte, first & 0x7f);
    if (!Number.isSafeInteger(value)) throw malformedArchive("a size in it is beyond all measure");
    return value;
  }
  const text = String.fromCharCode(...field)
    .replace(/\0.*$/s, "")
    .trim();
  if (!/^[0-7]*$/.test(text)) throw malformedArchive("a number in a header is not octal");
  return text === "" ? 0 : parseInt(text, 8);
}

/** Throws BLOB_UPLOAD_INVALID for what no reader of image archives should have to guess at. */
export function parseTarHeader(block: Uint8Array): TarHeader {
  if (readNumber(block.subarray(148, 156)) !== tarChecksum(block)) {
    throw malformedArchive("a header does not have the checksum that it states");
  }
  const type = TYPES[String.fromCharCode(block[156] ?? 0)];
  if (!type) throw malformedArchive("it holds what is neither a file, a directory nor a link");
  // GNU's older format, which says `ustar` and a blank, has other things where POSIX has the beginning of a long name.
  const isPosix = readTarText(block.subarray(257, 263)) === "ustar";
  const prefix = isPosix ? readTarText(block.subarray(345, 500)) : "";
  const name = readTarText(block.subarray(0, 100));
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    linkName: readTarText(block.subarray(157, 257)),
    size: readNumber(block.subarray(124, 136)),
    type,
  };
}

/** What pax records say instead of a header. */
export interface PaxRecords {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
}

/** POSIX pax, "pax Extended Header": `<length> <key>=<value>\n`, one after the other. Unknown keys are passed over. */
export function parsePaxRecords(bytes: Uint8Array): PaxRecords {
  const records = new Map<string, string>();
  for (let start = 0; start < bytes.byteLength;) {
    const blank = bytes.indexOf(0x20, start);
    const digits = blank < 0 ? "" : decodeText(bytes.subarray(start, blank));
    const end = start + (/^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : 0);
    if (end <= blank || end === start || end > bytes.byteLength) throw malformedArchive("a pax record is not one");
    const record = decodeText(bytes.subarray(blank + 1, end));
    const equals = record.indexOf("=");
    if (equals < 1 || !record.endsWith("\n")) throw malformedArchive("a pax record is not one");
    records.set(record.slice(0, equals), record.slice(equals + 1, -1));
    start = end;
  }
  const [path, linkpath, size] = [records.get("path"), records.get("linkpath"), records.get("size")];
  if ([...records.keys()].some((key) => key.startsWith("GNU.sparse."))) {
    throw malformedArchive("it holds a sparse file");
  }
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw malformedArchive("a size in a pax record is no number");
  return {
    ...(path !== undefined && { path }),
    ...(linkpath !== undefined && { linkpath }),
    ...(size !== undefined && { size: Number(size) }),
  };
}

/**
 * A path within an archive, without needless dots: `a/b`. Throws BLOB_UPLOAD_INVALID for one that leads out of it, or
 * nowhere.
 * @param from the folder that the path starts from, as its names.
 */
export function parseArchivePath(text: string, from: readonly string[] = []): string {
  const shown = text.slice(0, 160);
  if (text.length > PATH_MAX_LENGTH) throw malformedArchive("a path in it is too long", { path: shown });
  if (text.startsWith("/")) throw malformedArchive("a path in it is absolute", { path: shown });
  const names = [...from];
  for (const name of text.split("/")) {
    if (name === "..") {
      if (names.pop() === undefined) throw malformedArchive("a path in it leads out of it", { path: shown });
    } else if (name !== "" && name !== ".") names.push(name);
  }
  const path = names.join("/");
  if (path.length > PATH_MAX_LENGTH) throw malformedArchive("a path in it is too long", { path: shown });
  return path;
}

/** Where a link leads: a symbolic one from the folder that it lies in, a hard one from the archive's root. */
export function linkTarget(path: string, { type, linkName }: Pick<TarHeader, "type" | "linkName">): string {
  return parseArchivePath(linkName, type === "symbolic-link" ? path.split("/").slice(0, -1) : []);
}
