import { createHash } from "node:crypto";
import { type Compression, compressionOf } from "../../src/oci/compression.ts";
import { type Digest, digestAlgorithm, digestFromHash, isDigest } from "../../src/oci/digest.ts";
import { makeManifest, parseSavedImages, pickNamed, readDiffIds } from "../../src/oci/docker-archive.ts";
import { OciError } from "../../src/oci/error.ts";
import { blobPath, DOCKER_MANIFEST_FILE, INDEX_FILE, parseListed } from "../../src/oci/image-layout.ts";
import { digestOf } from "../distribution/hash.ts";
import { ImageFailure, Missing } from "../distribution/image-failure.ts";
import { type Manifest, MANIFEST_BYTES_MAX, readManifest } from "../distribution/manifests.ts";
import { Failure } from "../local/failure.ts";
import type { Source } from "../transfer/source.ts";
import type { ArchiveFile, ArchiveFiles } from "./files.ts";

/** An image of an archive. */
export interface ArchivedImage {
  readonly source: Source;
  /** What is to be tagged. */
  readonly root: Digest;
  /** What an image layout lists without a name, such as signatures. */
  readonly unnamed: readonly Digest[];
}

const MAGIC_BYTES = 4;

/**
 * Finds an image in an archive. Where that is an image layout as well as what `docker save` wrote before there were any, the
 * layout counts, if it is whole: it has the manifests as they were. The registry's own `PUT /archive/` has the same rules.
 * @param wanted its name, where there are several.
 * @throws Failure that says what is wrong with the archive, or which images there are.
 */
export async function findImage(files: ArchiveFiles, wanted: string | undefined): Promise<ArchivedImage> {
  try {
    const [index, saved] = [await files.find(INDEX_FILE), await files.find(DOCKER_MANIFEST_FILE)];
    if (index) {
      const image = await readLayout(files, index, wanted);
      if (!saved || (await isWhole(image.source, image.root))) return image;
    }
    if (saved) return await readSaved(files, saved, wanted);
  } catch (error) {
    throw explainArchive(error, files.title);
  }
  throw new Failure(
    `${files.title} is no archive of images: it has neither ${DOCKER_MANIFEST_FILE}, as docker save writes it, nor ` +
      `${INDEX_FILE}, as OCI layouts have it`,
  );
}

/** The registry's words for the command line. */
export function explainArchive(error: unknown, title: string): unknown {
  if (!(error instanceof OciError)) return error;
  return new Failure(`${title}: ${error.message.replace("?image=", "--image")}`);
}

async function readLayout(files: ArchiveFiles, index: ArchiveFile, wanted: string | undefined): Promise<ArchivedImage> {
  const listed = parseListed(INDEX_FILE, await readWholeFile(index));
  const root = pickNamed(listed, wanted).id;
  const unnamed = listed.filter(({ names, id }) => names.length === 0 && id !== root).map(({ id }) => id);
  const find = async (digest: Digest) => await files.find(blobPath(digest));
  return { source: sourceOf(files, find, undefined), root, unnamed };
}

/** As `docker save` writes it: a manifest is made, of the config and the layers as they are. */
async function readSaved(files: ArchiveFiles, list: ArchiveFile, wanted: string | undefined): Promise<ArchivedImage> {
  const images = parseSavedImages(await readWholeFile(list)).map((image) => ({ ...image, id: image.config }));
  const image = pickNamed(images, wanted);
  const configFile = await fileAt(files, image.config);
  const configBytes = await readWholeFile(configFile);
  const config = { digest: digestOf("sha256", configBytes), size: configBytes.length };
  const stated = digestInPath(image.config);
  if (stated !== undefined && stated !== config.digest)
    throw new Failure(`${image.config} of ${files.title} is damaged`);
  const diffIds = readDiffIds(configBytes);
  if (diffIds.length !== image.layers.length) {
    throw new Failure(`the config in ${files.title} lists other layers than its ${DOCKER_MANIFEST_FILE}`);
  }
  const contents = new Map<Digest, ArchiveFile>([[config.digest, configFile]]);
  const layers: { digest: Digest; size: number; compression: Compression }[] = [];
  for (const [position, path] of image.layers.entries()) {
    const file = await fileAt(files, path);
    const compression = await compressionIn(file);
    // What is not packed is what the config lists; that it really is, shows when it is sent.
    const unpacked = compression === "none" ? diffIds[position] : undefined;
    const digest = unpacked ?? digestInPath(path) ?? (await hashFile(file));
    contents.set(digest, file);
    layers.push({ digest, size: file.size, compression });
  }
  const { bytes } = makeManifest(config, layers);
  const root = readManifest(bytes, { title: files.title });
  const find = (digest: Digest) => Promise.resolve(contents.get(digest));
  return { source: sourceOf(files, find, root), root: root.digest, unnamed: [] };
}

function sourceOf(
  files: ArchiveFiles,
  find: (digest: Digest) => Promise<ArchiveFile | undefined>,
  made: Manifest | undefined,
): Source {
  return {
    getManifest: async (reference) => {
      if (reference === made?.digest) return made;
      const file = isDigest(reference) && (await find(reference));
      if (!file) throw new Missing(`${files.title} does not hold ${reference}`);
      const bytes = await readWholeFile(file);
      const digest = digestOf(digestAlgorithm(reference), bytes);
      if (digest !== reference) {
        throw new ImageFailure(`${file.path} of ${files.title} is damaged: its digest is ${digest}`);
      }
      return { ...readManifest(bytes, { title: `${file.path} of ${files.title}` }), digest };
    },
    openBlob: async function* ({ digest }, offset) {
      const file = await find(digest);
      if (!file) throw new Missing(`${files.title} does not hold ${digest}`);
      yield* file.open(offset);
    },
    listReferrers: () => Promise.resolve([]),
  };
}

/** Whether the archive holds the manifests of an image, and what they need: Docker may save an index without all of its images. */
async function isWhole(source: Source, digest: Digest): Promise<boolean> {
  try {
    const { content } = await source.getManifest(digest);
    for (const reference of content.references) {
      if (reference.role === "manifest" && !(await isWhole(source, reference.digest))) return false;
      if (reference.role !== "manifest" && reference.distributable) {
        await source.openBlob(reference, reference.size)[Symbol.asyncIterator]().next();
      }
    }
    return true;
  } catch (error) {
    if (error instanceof Missing) return false;
    throw error;
  }
}

async function fileAt(files: ArchiveFiles, path: string): Promise<ArchiveFile> {
  const file = await files.find(path);
  if (file) return file;
  throw new Failure(`${files.title} does not hold ${path}, which its ${DOCKER_MANIFEST_FILE} lists`);
}

/** `blobs/<algorithm>/<hex>` of image layouts, and `<hex>.json` of older archives. */
function digestInPath(path: string): Digest | undefined {
  const digest = path.replace(/^blobs\/([^/]+)\/([^/]+)$/, "$1:$2").replace(/^([0-9a-f]{64})\.json$/, "sha256:$1");
  return isDigest(digest) ? digest : undefined;
}

async function readWholeFile(file: ArchiveFile): Promise<Uint8Array> {
  if (file.size > MANIFEST_BYTES_MAX) throw new Failure(`${file.path} of the archive is larger than any manifest`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.open(0)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function compressionIn(file: ArchiveFile): Promise<Compression> {
  for await (const chunk of file.open(0)) return compressionOf(chunk.subarray(0, MAGIC_BYTES));
  return "none";
}

async function hashFile(file: ArchiveFile): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of file.open(0)) hash.update(chunk);
  return digestFromHash("sha256", hash.digest());
}
