import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { compressionOf } from "../../src/oci/compression.ts";
import { codeOf, Failure, reasonOf } from "../local/failure.ts";
import type { ArchiveFiles } from "./files.ts";
import { openFolder } from "./folder.ts";
import { openTar } from "./tar.ts";

const MAGIC_BYTES = 4;

/**
 * Opens an archive: a folder, a tar as it lies, or one that is packed or comes on stdin (`-`), of which a temporary file is
 * made until it is closed: what comes first in it is not what is wanted first.
 * @throws Failure for a file that cannot be read; OciError for an archive that is none.
 */
export async function openArchive(path: string, stdin: Readable): Promise<ArchiveFiles> {
  if (path === "-") return await spool(stdin, "the archive on stdin");
  const stats = await stat(path).catch(explain);
  if (stats.isDirectory()) return await openFolder(path);
  const file = await open(path, "r").catch(explain);
  try {
    const head = Buffer.alloc(MAGIC_BYTES);
    await file.read(head, 0, MAGIC_BYTES, 0);
    if (stats.isFile() && compressionOf(head) === "none") return await openTar(file, path);
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return await spool(createReadStream(path), path);
}

async function spool(bytes: Readable, title: string): Promise<ArchiveFiles> {
  const folder = await mkdtemp(join(tmpdir(), "stowage-load-"));
  const remove = async () => await rm(folder, { recursive: true, force: true });
  // Ctrl-C ends the program without a word: the file goes at once, and its space when it is closed.
  let file: FileHandle | undefined;
  try {
    const path = join(folder, "archive.tar");
    await unpack(bytes, path);
    file = await open(path, "r");
    await remove();
    return await openTar(file, title);
  } catch (error) {
    await file?.close();
    await remove();
    const code = codeOf(error) ?? "";
    if (code === "ENOSPC")
      throw new Failure(`there is no room in ${tmpdir()} for ${title}: set TMPDIR to a larger disk`);
    if (/^(Z_|ZSTD_|ERR_ZLIB)/.test(code)) throw new Failure(`${title} is damaged: ${reasonOf(error)}`);
    throw error;
  }
}

async function unpack(bytes: Readable, path: string): Promise<void> {
  const pieces = bytes[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const step: IteratorResult<Buffer, unknown> = await pieces.next();
    if (step.done === true) break;
    head = Buffer.concat([head, step.value]);
  }
  const whole = Readable.from(
    (async function* () {
      yield head;
      yield* { [Symbol.asyncIterator]: () => pieces };
    })(),
    { objectMode: false },
  );
  const target = createWriteStream(path, { mode: 0o600 });
  const compression = compressionOf(head);
  if (compression === "none") await pipeline(whole, target);
  else await pipeline(whole, compression === "gzip" ? createGunzip() : createZstdDecompress(), target);
}

function explain(error: unknown): never {
  throw new Failure(`cannot read the archive: ${reasonOf(error)}`, codeOf(error) === "ENOENT" ? 2 : 1);
}
