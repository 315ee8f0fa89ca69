import type { Context } from "../context.ts";
import { findBlobs, type StoredBlob } from "../metadata/blobs.ts";
import type { StoredManifest } from "../metadata/manifests.ts";
import { computeDigest, type Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import {
  blobPath,
  DOCKER_MANIFEST_FILE,
  dockerManifestFile,
  INDEX_FILE,
  indexFile,
  LAYOUT_FILE,
  layoutFile,
} from "../oci/image-layout.ts";
import { formatImageName, type ImageName } from "../oci/image-name.ts";
import type { ManifestReference } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { layoutTar, segmentSize, type TarSegment } from "../oci/tar.ts";
import type { SizedObject } from "../storage/edge-cache.ts";
import { type ImageTree, type LoadedManifest, loadImageTree } from "./image-trees.ts";
import { ManifestMemory } from "./manifest-memory.ts";
import { pickImage } from "./platform-images.ts";

/** What `docker load` takes, or all that an index has as an OCI image layout. */
export type ArchiveFormat = "docker" | "oci";

export interface ArchiveRequest {
  readonly images: readonly ImageName[];
  readonly format: ArchiveFormat;
  readonly platform: Platform | undefined;
  /** The registry's own name, by which the images are named to whoever loads them. */
  readonly host: string;
}

/** An archive, before any of its content is read. */
export interface Archive {
  readonly segments: readonly TarSegment<SizedObject>[];
  /** Bytes. */
  readonly size: number;
  /** The same for the same bytes. */
  readonly version: Digest;
  /** What a client would have pulled to have the same: what the names stand for, and the images that were picked from it. */
  readonly pulled: readonly { readonly repository: RepositoryName; readonly manifest: StoredManifest }[];
  /** What manifests refer to and the registry does not hold. */
  readonly leftOut: readonly Digest[];
}

/** What goes into an archive of one image name: a manifest, and all that comes with it. */
interface Portion {
  readonly name: ImageName;
  readonly root: LoadedManifest;
  readonly platform: Platform | undefined;
  readonly manifests: ReadonlyMap<Digest, LoadedManifest>;
  readonly pulled: readonly StoredManifest[];
}

async function portionOf(context: Context, tree: ImageTree, request: ArchiveRequest): Promise<Portion> {
  const { name, root, manifests } = tree;
  const { format, platform: wanted } = request;
  if (format === "oci" && !wanted) return { name, root, platform: undefined, manifests, pulled: [root.stored] };
  const { image, platform } = await pickImage(context, tree, wanted);
  const pulled = image === root ? [root.stored] : [root.stored, image.stored];
  return { name, root: image, platform, manifests: new Map([[image.stored.digest, image]]), pulled };
}

/** Content that manifests refer to, configs before layers: who reads the archive may look at those first. */
function contentOf({ manifests }: Portion): ManifestReference[] {
  const references = [...manifests.values()].flatMap(({ manifest }) => manifest.references);
  const blobs = references.filter(({ digest }) => !manifests.has(digest));
  return [...blobs.filter(({ role }) => role === "config"), ...blobs.filter(({ role }) => role !== "config")];
}

/** How an archive names an image: with host and name in full, and with the tag alone where that is enough. */
function namesOf({ repository, reference }: ImageName, { host, images }: ArchiveRequest) {
  if (reference.kind === "digest") return undefined;
  const full = `${host}/${formatImageName({ repository, reference })}`;
  return { full, ref: images.length === 1 ? reference.tag : full };
}

function indexOf(portions: readonly Portion[], request: ArchiveRequest): Uint8Array {
  return indexFile(
    portions.map(({ name, root, platform }) => {
      const { digest, mediaType, size } = root.stored;
      return { digest, mediaType, size, platform, names: namesOf(name, request) };
    }),
  );
}

/** Docker's own list of images. Throws UNSUPPORTED where a layer is not here: nobody can load an image without it. */
function dockerListOf(
  portions: readonly Portion[],
  request: ArchiveRequest,
  blobs: ReadonlyMap<Digest, StoredBlob>,
): Uint8Array {
  return dockerManifestFile(
    portions.map(({ name, root }) => {
      const { references, imageConfig } = root.manifest;
      const missing = references.filter(({ digest }) => !blobs.has(digest)).map(({ digest }) => digest);
      if (missing.length > 0 || !imageConfig) {
        throw new OciError("UNSUPPORTED", {
          message: `${formatImageName(name)} has layers that the registry does not hold: only ?format=oci can do without`,
          detail: missing.map((digest) => ({ digest })),
        });
      }
      const layers = references.filter(({ role }) => role === "layer").map(({ digest }) => digest);
      return { config: imageConfig, layers, name: namesOf(name, request)?.full };
    }),
  );
}

/**
 * Says what an archive of images consists of. One D1 query for each image, two for an index, and one for all that they refer to;
 * and what {@link pickImage} costs.
 * @throws OciError MANIFEST_UNKNOWN, NAME_UNKNOWN; REQUEST_INVALID for more manifests than fit into memory; and where Docker's format
 * is asked for, UNSUPPORTED for what is no image, or not all here.
 */
export async function describeArchive(context: Context, request: ArchiveRequest): Promise<Archive> {
  const memory = new ManifestMemory();
  const portions: Portion[] = [];
  // One after another: what there is room for is known only when those before are counted.
  for (const name of request.images) {
    portions.push(await portionOf(context, await loadImageTree(context, name, memory), request));
  }
  const wanted = portions.flatMap((portion) =>
    contentOf(portion).map(({ digest }) => ({ repository: portion.name.repository, digest })),
  );
  const found = await findBlobs(context.db, wanted);
  const blobs = new Map<Digest, StoredBlob>(found.map((blob) => [blob.digest, blob]));
  const manifests = new Map(portions.flatMap((portion) => [...portion.manifests]));
  const content = new Set(wanted.map(({ digest }) => digest));
  const present = [...content].flatMap((digest) => blobs.get(digest) ?? []);
  const docker = request.format === "docker" ? dockerListOf(portions, request, blobs) : undefined;
  const segments = layoutTar<SizedObject>([
    { name: LAYOUT_FILE, content: layoutFile() },
    { name: INDEX_FILE, content: indexOf(portions, request) },
    ...(docker ? [{ name: DOCKER_MANIFEST_FILE, content: docker }] : []),
    ...[...manifests.values()].map(({ stored, bytes }) => ({ name: blobPath(stored.digest), content: bytes })),
    ...present
      .filter(({ digest }) => !manifests.has(digest))
      .map(({ digest, objectKey, size }) => ({ name: blobPath(digest), content: { key: objectKey, size } })),
  ]);
  return {
    segments,
    size: segments.reduce((sum, segment) => sum + segmentSize(segment), 0),
    version: await versionOf(segments),
    pulled: portions.flatMap(({ name: { repository }, pulled }) =>
      pulled.map((manifest) => ({ repository, manifest })),
    ),
    leftOut: [...content].filter((digest) => !blobs.has(digest) && !manifests.has(digest)),
  };
}

/** What is not hashed has its own digest as its name, in the header before it. */
async function versionOf(segments: readonly TarSegment<SizedObject>[]): Promise<Digest> {
  const literal = segments.filter((segment) => segment instanceof Uint8Array);
  return await computeDigest("sha256", new Uint8Array(await new Blob(literal).arrayBuffer()));
}
