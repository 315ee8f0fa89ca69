import { TAR_BLOCK_BYTES, tarPadding } from "../oci/tar.ts";
import {
  linkTarget,
  malformedArchive,
  parseArchivePath,
  parsePaxRecords,
  parseTarHeader,
  readTarText,
  type TarHeader,
} from "../oci/tar-header.ts";
import type { ByteSource } from "./byte-source.ts";

/** Far more than `docker save` writes for a hundred images, each with as many layers as there can be. */
const ENTRIES_MAX = 20_000;

/** Records beside a header: a path, a time, an owner. */
const RECORDS_MAX_BYTES = 16 * 1024;

/** A file, with its bytes, or a link. Directories say nothing that paths do not. */
export type TarEntry =
  | { readonly kind: "file"; readonly path: string; readonly size: number; readonly content: AsyncIterable<Uint8Array> }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

type Extended = Partial<Pick<TarHeader, "name" | "linkName" | "size">>;

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** What the records of an entry that comes before another say of that. */
async function readExtension(source: ByteSource, { type, size }: TarHeader): Promise<Extended> {
  if (size > RECORDS_MAX_BYTES) throw malformedArchive("a header in it is too large");
  const bytes = await source.take(size);
  await source.skip(tarPadding(size));
  if (type === "long-name") return { name: readTarText(bytes) };
  if (type === "long-link") return { linkName: readTarText(bytes) };
  const { path, linkpath, size: longSize } = parsePaxRecords(bytes);
  return {
    ...(path !== undefined && { name: path }),
    ...(linkpath !== undefined && { linkName: linkpath }),
    ...(longSize !== undefined && { size: longSize }),
  };
}

/** Reads on where two zero blocks, or one, have ended an archive: whatever follows them would be dropped. */
async function expectEnd(source: ByteSource): Promise<void> {
  for await (const piece of source.remainder()) {
    if (!isZero(piece)) throw malformedArchive("something follows its end");
  }
}

/**
 * The entries of a tar archive: POSIX's formats, and GNU's as far as `docker save` and GNU tar write them. A file's content is to be
 * read before the next entry is asked for; what is left of it then is passed over.
 * @throws OciError BLOB_UPLOAD_INVALID for an archive that is none, ends before its time, holds what no archive of images does, or
 * more than that.
 */
export async function* readTar(source: ByteSource): AsyncGenerator<TarEntry, void> {
  let extended: Extended = {};
  for (let entries = 0; ; entries += 1) {
    const block = await source.take(TAR_BLOCK_BYTES);
    if (isZero(block)) {
      await expectEnd(source);
      return;
    }
    if (entries === ENTRIES_MAX) throw malformedArchive(`it has more than ${ENTRIES_MAX} entries`);
    const header = parseTarHeader(block);
    if (header.type === "pax" || header.type === "long-name" || header.type === "long-link") {
      extended = { ...extended, ...(await readExtension(source, header)) };
      continue;
    }
    const entry = { ...header, ...extended };
    extended = {};
    yield* readEntry(source, entry);
  }
}

async function* readEntry(source: ByteSource, entry: TarHeader): AsyncGenerator<TarEntry, void> {
  const { type } = entry;
  const path = parseArchivePath(entry.name);
  // Only files have content, whatever size the others state; a name that ends in a slash is a directory in old archives.
  if (type === "directory" || (type === "file" && entry.name.endsWith("/"))) return;
  if (path === "") throw malformedArchive("an entry has no name");
  if (type !== "file") {
    yield { kind: "link", path, target: linkTarget(path, entry) };
    return;
  }
  let left = entry.size;
  const content = async function* () {
    for await (const piece of source.stretch(entry.size)) {
      left -= piece.byteLength;
      yield piece;
    }
  };
  yield { kind: "file", path, size: entry.size, content: content() };
  await source.skip(left + tarPadding(entry.size));
}
