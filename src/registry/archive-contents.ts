import { computeDigest, type Digest } from "../oci/digest.ts";
import { makeManifest, parseSavedImages, pickNamed, readDiffIds } from "../oci/docker-archive.ts";
import { OciError } from "../oci/error.ts";
import { blobPath, DOCKER_MANIFEST_FILE, INDEX_FILE, type ListedManifest, parseListed } from "../oci/image-layout.ts";
import { parseManifest } from "../oci/manifest.ts";
import { isIndex, isManifest } from "../oci/media-type.ts";
import { parseArchivePath } from "../oci/tar-header.ts";
import { ManifestMemory } from "./manifest-memory.ts";
import type { ReceivedArchive, ReceivedFile } from "./received-archive.ts";

/** Indexes within indexes within indexes. */
const DEPTH_MAX = 8;

/** More than any index lists. */
const MANIFESTS_MAX = 1_000;

/** A manifest to push. */
export interface ArchivedManifest {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  readonly bytes: Uint8Array;
}

/** What an archive brings: the manifest to tag, all manifests, each after those that it lists, and the blobs that they refer to. */
export interface ArchiveContents {
  readonly root: ArchivedManifest;
  readonly manifests: readonly ArchivedManifest[];
  readonly blobs: readonly ReceivedFile[];
}

function invalid(message: string, detail?: unknown): OciError {
  return new OciError("MANIFEST_INVALID", { message, detail });
}

/** The manifests of an image layout, and what they refer to. */
class LayoutReader {
  readonly #archive: ReceivedArchive;
  readonly #memory = new ManifestMemory();
  readonly #manifests = new Map<Digest, ArchivedManifest>();
  readonly #blobs = new Map<Digest, ReceivedFile>();
  /** Whether anything that a manifest refers to is not in the archive. */
  isIncomplete = false;

  constructor(archive: ReceivedArchive) {
    this.#archive = archive;
  }

  /** All that was added. Throws MANIFEST_INVALID where the root is not in the archive. */
  contentsOf(root: Digest): ArchiveContents {
    const found = this.#manifests.get(root);
    if (!found) throw invalid("the archive does not hold the manifest that its index lists", { digest: root });
    return { root: found, manifests: [...this.#manifests.values()], blobs: [...this.#blobs.values()] };
  }

  /** Adds a manifest after all that it lists. */
  async add({ id: digest, mediaType }: Pick<ListedManifest, "id" | "mediaType">, depth = 0): Promise<void> {
    if (this.#manifests.has(digest)) return;
    if (depth > DEPTH_MAX) throw invalid("the archive has indexes within indexes without end");
    const file = this.#find(digest);
    if (!file) return;
    if (!this.#memory.take(file.size)) {
      throw invalid("the index lists too much for one archive: push its images by a client");
    }
    const bytes = await this.#archive.readJson(file);
    const manifest = parseManifest(bytes, mediaType);
    if (isIndex(manifest.mediaType)) {
      for (const child of parseListed(file.path, bytes)) {
        if (isManifest(child.mediaType ?? "")) await this.add(child, depth + 1);
        else this.#addBlob(child.id);
      }
    } else for (const { digest: blob, distributable } of manifest.references) this.#addBlob(blob, distributable);
    if (this.#manifests.size === MANIFESTS_MAX) throw invalid(`the archive has more than ${MANIFESTS_MAX} manifests`);
    this.#manifests.set(digest, { digest, mediaType: manifest.mediaType, bytes });
  }

  #addBlob(digest: Digest, isNeeded = true): void {
    const file = this.#find(digest, isNeeded);
    if (file) this.#blobs.set(digest, file);
  }

  #find(digest: Digest, isNeeded = true): ReceivedFile | undefined {
    const file = this.#archive.find(blobPath(digest));
    if (!file && isNeeded) this.isIncomplete = true;
    // A path that is a link says nothing of what it leads to.
    if (file && file.digest !== digest) throw new OciError("DIGEST_INVALID", { detail: { digest } });
    return file;
  }
}

/**
 * What an image layout holds of one image: all that it lists; and what the layout lists without a name, such as signatures. An
 * incomplete one may be completed by what the repository has.
 */
async function readLayout(archive: ReceivedArchive, index: ReceivedFile, wanted: string | undefined) {
  const listed = parseListed(INDEX_FILE, await archive.readJson(index));
  const root = pickNamed(listed, wanted);
  const reader = new LayoutReader(archive);
  for (const one of listed.filter(({ names }) => names.length === 0)) await reader.add(one);
  await reader.add(root);
  return { isIncomplete: reader.isIncomplete, read: () => reader.contentsOf(root.id) };
}

/** What lies at a path of `manifest.json`. */
function fileAt(archive: ReceivedArchive, path: string): ReceivedFile {
  const file = archive.find(parseArchivePath(path));
  if (!file) throw invalid(`the archive does not hold ${path.slice(0, 160)}, which its manifest.json lists`);
  return file;
}

/** An image as `docker save` writes it. Layers that are not packed must be those that the config lists. */
async function readSaved(
  archive: ReceivedArchive,
  list: ReceivedFile,
  wanted: string | undefined,
): Promise<ArchiveContents> {
  const images = parseSavedImages(await archive.readJson(list));
  const image = pickNamed(
    images.map((one) => ({ ...one, id: one.config })),
    wanted,
  );
  const config = fileAt(archive, image.config);
  const stated = /^([0-9a-f]{64})\.json$/.exec(image.config)?.[1];
  if (stated !== undefined && config.digest !== `sha256:${stated}`) {
    throw new OciError("DIGEST_INVALID", { message: `${image.config} of the archive has other content` });
  }
  const diffIds = readDiffIds(await archive.readJson(config));
  const layers = image.layers.map((path) => fileAt(archive, path));
  if (layers.length !== diffIds.length)
    throw invalid("the config in the archive lists other layers than its manifest.json");
  for (const [i, { path, digest, compression }] of layers.entries()) {
    if (compression === "none" && digest !== diffIds[i]) {
      throw new OciError("DIGEST_INVALID", {
        message: `${path} of the archive is not the layer that the config lists`,
        detail: { digest: diffIds[i] },
      });
    }
  }
  const { mediaType, bytes } = makeManifest(config, layers);
  const root = { mediaType, bytes, digest: await computeDigest("sha256", bytes) };
  return { root, manifests: [root], blobs: [config, ...layers] };
}

/**
 * Finds out what an archive is, and what is in it. Where it is an image layout as well as what `docker save` wrote before there were
 * any, the layout counts, if it is whole: it has the manifests as they were.
 * @param wanted the name of the image, where there are several.
 * @throws OciError MANIFEST_INVALID, DIGEST_INVALID.
 */
export async function readContents(archive: ReceivedArchive, wanted: string | undefined): Promise<ArchiveContents> {
  const [index, saved] = [archive.find(INDEX_FILE), archive.find(DOCKER_MANIFEST_FILE)];
  const layout = index && (await readLayout(archive, index, wanted));
  if (layout && !(layout.isIncomplete && saved)) return layout.read();
  if (saved) return await readSaved(archive, saved, wanted);
  throw invalid(
    `the archive has neither ${DOCKER_MANIFEST_FILE}, as docker save writes it, nor ${INDEX_FILE}, as OCI layouts have it`,
  );
}
