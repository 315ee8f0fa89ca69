import type { Context } from "../context.ts";
import { findBlobs } from "../metadata/blobs.ts";
import { OciError } from "../oci/error.ts";
import { CONFIG_MAX_BYTES, readConfig } from "../oci/image-config.ts";
import { formatImageName } from "../oci/image-name.ts";
import { isIndex } from "../oci/media-type.ts";
import {
  DEFAULT_PLATFORM,
  fitsPlatform,
  formatPlatform,
  isNoPlatform,
  type Platform,
  readChildren,
} from "../oci/platform.ts";
import { getBytes } from "../storage/objects.ts";
import type { ImageTree, LoadedManifest } from "./image-trees.ts";

/** An image of a tree that runs on something, if it is known what. */
export interface PlatformImage {
  readonly image: LoadedManifest;
  readonly platform: Platform | undefined;
}

/** The images of a tree, in the order of its indexes: neither attestations nor artifacts. */
function listImages({ root, manifests }: ImageTree): PlatformImage[] {
  const seen = new Set([root]);
  const list = (image: LoadedManifest, platform: Platform | undefined): PlatformImage[] => {
    if (!isIndex(image.manifest.mediaType)) return image.manifest.imageConfig ? [{ image, platform }] : [];
    return readChildren(image.bytes).flatMap((child) => {
      const found = manifests.get(child.digest);
      if (!found || seen.has(found) || (child.platform && isNoPlatform(child.platform))) return [];
      seen.add(found);
      return list(found, child.platform);
    });
  };
  return list(root, undefined);
}

/** What configs say where indexes do not. One D1 query, and one class B operation for each such image; or none of both. */
async function completePlatforms(
  { db, bucket }: Context,
  { name: { repository } }: ImageTree,
  images: readonly PlatformImage[],
): Promise<PlatformImage[]> {
  const wanted = images.flatMap(({ image, platform }) =>
    platform || !image.manifest.imageConfig ? [] : [{ repository, digest: image.manifest.imageConfig }],
  );
  if (wanted.length === 0) return [...images];
  const configs = new Map((await findBlobs(db, wanted)).map((blob) => [blob.digest, blob]));
  const completed: PlatformImage[] = [];
  // One after another: none of them stays in memory.
  for (const { image, platform } of images) {
    const config = image.manifest.imageConfig && configs.get(image.manifest.imageConfig);
    const isRead = !platform && config !== undefined && config.size <= CONFIG_MAX_BYTES;
    const read = isRead ? readConfig(await getBytes(bucket, config.objectKey)).platform : platform;
    completed.push({ image, platform: read });
  }
  return completed;
}

/**
 * The one image of a tree that runs on a platform; where none is asked for, the only one, that for {@link DEFAULT_PLATFORM}, or
 * the first. Costs nothing, unless an index does not say what its images run on: then {@link completePlatforms}.
 * @throws OciError MANIFEST_UNKNOWN where there is none, with what there is; UNSUPPORTED for what holds no image.
 */
export async function pickImage(
  context: Context,
  tree: ImageTree,
  wanted: Platform | undefined,
): Promise<PlatformImage> {
  const listed = listImages(tree);
  const [only, ...others] = listed;
  if (!only) {
    const message = `${formatImageName(tree.name)} is no image: ask for it with ?format=oci`;
    throw new OciError("UNSUPPORTED", { message });
  }
  if (!wanted && others.length === 0) return only;
  const images = await completePlatforms(context, tree, listed);
  const found = images.find(({ platform }) => platform && fitsPlatform(wanted ?? DEFAULT_PLATFORM, platform));
  if (found) return found;
  if (!wanted) return images[0] ?? only;
  const platforms = images.map(({ platform }) => (platform ? formatPlatform(platform) : "unknown"));
  throw new OciError("MANIFEST_UNKNOWN", {
    message: `${formatImageName(tree.name)} is not there for ${formatPlatform(wanted)}, but for: ${platforms.join(", ")}`,
    detail: { platforms },
  });
}
