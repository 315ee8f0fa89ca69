import { packTar, type TarHeader } from "modern-tar";
import { readEntries } from "../../../web/image/layer/read-entries.ts";
import type { LayerEntry } from "../../../web/image/layer/entry.ts";

/** A file of an archive, with as much content as its size says. */
export type File = Pick<TarHeader, "name"> & Partial<TarHeader>;

/** A tar archive of these files. */
export async function archiveOf(files: readonly File[]): Promise<Uint8Array> {
  return await packTar(
    files.map((file) => ({
      header: { size: 0, mtime: new Date(0), ...file },
      ...(file.size !== undefined && { body: new Uint8Array(file.size).fill(0x61) }),
    })),
  );
}

/** Bytes in pieces, as they come over a network. */
export async function* inPieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.slice(at, at + size));
}

/** All entries of a layer. */
export async function entriesOf(layer: Uint8Array, pieceSize?: number): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [];
  await readEntries(inPieces(layer, pieceSize), (entry) => entries.push(entry));
  return entries;
}

/** An entry by its path; a directory, if that ends so. */
export function entry(path: string, changes: Partial<LayerEntry> = {}): LayerEntry {
  const type = path.endsWith("/") ? "directory" : "file";
  return { path, type, size: 0, mode: 0o755, uid: 0, gid: 0, target: undefined, ...changes };
}
