import type { FileHandle } from "node:fs/promises";
import { TAR_BLOCK_BYTES, tarPadding } from "../../src/oci/tar.ts";
import {
  linkTarget,
  malformedArchive,
  parseArchivePath,
  parsePaxRecords,
  parseTarHeader,
  readTarText,
  type TarHeader,
} from "../../src/oci/tar-header.ts";
import type { ArchiveFile, ArchiveFiles } from "./files.ts";

/** Far more than `docker save` writes for a hundred images, each with as many layers as there can be. */
const ENTRIES_MAX = 20_000;
/** Records beside a header: a path, a time, an owner. */
const RECORDS_MAX_BYTES = 16 * 1024;
const LINKS_MAX = 8;
const CHUNK_BYTES = 64 * 1024;

interface Stretch {
  readonly start: number;
  readonly size: number;
}

/** Where what lies in an archive. */
interface TarIndex {
  readonly files: ReadonlyMap<string, Stretch>;
  readonly links: ReadonlyMap<string, string>;
}

/**
 * A tar archive in a file: its headers are read, and the content between them is passed over until it is wanted. `close` closes
 * the file.
 * @throws OciError BLOB_UPLOAD_INVALID for an archive that is none, ends before its time, or holds what no archive of images does.
 */
export async function openTar(file: FileHandle, title: string): Promise<ArchiveFiles> {
  const { files, links } = await readIndex(file);
  const find = (path: string): ArchiveFile | undefined => {
    let at = parseArchivePath(path);
    for (let followed = 0; followed <= LINKS_MAX; followed += 1) {
      const target = links.get(at);
      const found = files.get(at);
      if (found) return { path, size: found.size, open: (offset) => readStretch(file, found, offset) };
      if (target === undefined) return undefined;
      at = target;
    }
    return undefined;
  };
  return { title, find: (path) => Promise.resolve(find(path)), close: async () => await file.close() };
}

async function readIndex(file: FileHandle): Promise<TarIndex> {
  const files = new Map<string, Stretch>();
  const links = new Map<string, string>();
  let extended: Partial<Pick<TarHeader, "name" | "linkName" | "size">> = {};
  for (let position = 0, entries = 0; ; entries += 1) {
    const block = await readAt(file, position, TAR_BLOCK_BYTES);
    position += TAR_BLOCK_BYTES;
    if (isZero(block)) {
      await expectEnd(file, position);
      return { files, links };
    }
    if (entries === ENTRIES_MAX) throw malformedArchive(`it has more than ${ENTRIES_MAX} entries`);
    const header = parseTarHeader(block);
    if (header.type === "pax" || header.type === "long-name" || header.type === "long-link") {
      extended = { ...extended, ...(await readExtension(file, position, header)) };
      position += header.size + tarPadding(header.size);
      continue;
    }
    const entry = { ...header, ...extended };
    extended = {};
    const path = parseArchivePath(entry.name);
    // Only files have content, whatever size the others state; a name that ends in a slash is a directory in old archives.
    if (entry.type === "directory" || (entry.type === "file" && entry.name.endsWith("/"))) continue;
    if (path === "" || files.has(path) || links.has(path)) throw malformedArchive(`a path is in it twice: '${path}'`);
    if (entry.type !== "file") {
      links.set(path, linkTarget(path, entry));
      continue;
    }
    files.set(path, { start: position, size: entry.size });
    position += entry.size + tarPadding(entry.size);
  }
}

/** What the records of an entry that comes before another say of that. */
async function readExtension(
  file: FileHandle,
  position: number,
  { type, size }: TarHeader,
): Promise<Partial<Pick<TarHeader, "name" | "linkName" | "size">>> {
  if (size > RECORDS_MAX_BYTES) throw malformedArchive("a header in it is too large");
  const bytes = await readAt(file, position, size);
  if (type === "long-name") return { name: readTarText(bytes) };
  if (type === "long-link") return { linkName: readTarText(bytes) };
  const { path, linkpath, size: longSize } = parsePaxRecords(bytes);
  return {
    ...(path !== undefined && { name: path }),
    ...(linkpath !== undefined && { linkName: linkpath }),
    ...(longSize !== undefined && { size: longSize }),
  };
}

/** Whatever followed the zero blocks at the end would be dropped. */
async function expectEnd(file: FileHandle, position: number): Promise<void> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let at = position; ;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    if (!isZero(buffer.subarray(0, bytesRead))) throw malformedArchive("something follows its end");
    at += bytesRead;
  }
}

async function* readStretch(file: FileHandle, { start, size }: Stretch, offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < size;) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start + at);
    if (bytesRead === 0) throw truncated();
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead < length) throw truncated();
  return buffer;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function truncated(): Error {
  return malformedArchive("it ends before its time");
}
