import type { Context } from "../context.ts";
import { logError, unlessItFails } from "../log.ts";
import { type ImageConfig, notePlatforms } from "../metadata/tag-list.ts";
import type { Digest } from "../oci/digest.ts";
import { CONFIG_MAX_BYTES, readPlatform } from "../oci/image-config.ts";
import type { Platform } from "../oci/platform.ts";
import { getBytes } from "../storage/objects.ts";

/** The connections that the platform lets a request have at once. */
const READS_AT_ONCE = 6;

type Found = readonly [Digest, Platform | undefined];

/** What a config states; undefined where it could not be read, which is no answer for good. One class B operation. */
async function look({ bucket }: Context, { digest, objectKey, size }: ImageConfig): Promise<Found | undefined> {
  if (size > CONFIG_MAX_BYTES) return [digest, undefined];
  try {
    return [digest, readPlatform(await getBytes(bucket, objectKey))];
  } catch (error) {
    logError("a config could not be read for its platform", error, { digest });
    return undefined;
  }
}

/**
 * The platforms of images by the digests of their configs. What was noted once is known; of the others, each config is read, one class B
 * operation, and noted: one D1 query for all of them, which the answer does not wait for.
 */
export async function findPlatforms(
  context: Context,
  configs: readonly ImageConfig[],
): Promise<ReadonlyMap<Digest, Platform | undefined>> {
  const noted = new Map(configs.map(({ digest, platform }) => [digest, platform ?? undefined]));
  const asked = new Map(configs.flatMap((config) => (config.platform === undefined ? [[config.digest, config]] : [])));
  const wanted = [...asked.values()];
  const found: Found[] = [];
  for (let start = 0; start < wanted.length; start += READS_AT_ONCE) {
    const looks = wanted.slice(start, start + READS_AT_ONCE).map(async (config) => await look(context, config));
    found.push(...(await Promise.all(looks)).filter((one) => one !== undefined));
  }
  if (found.length > 0) {
    const notes = found.map(([digest, platform]) => ({ digest, platform }));
    context.defer(unlessItFails("platforms could not be noted", notePlatforms(context.db, notes)));
  }
  return new Map([...noted, ...found]);
}
