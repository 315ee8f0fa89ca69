import type { Context } from "../context.ts";
import { unlessItFails } from "../log.ts";
import { noteConfigs } from "../metadata/image-configs.ts";
import type { ImageConfig } from "../metadata/tag-list.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import { readConfigs } from "./image-configs.ts";

/**
 * The platforms of images by the digests of their configs. What was noted once is known; of the others, each config is read, one class B
 * operation, and noted: one D1 query for all of them, which the answer does not wait for.
 */
export async function findPlatforms(
  context: Context,
  configs: readonly ImageConfig[],
): Promise<ReadonlyMap<Digest, Platform | undefined>> {
  const noted = new Map(configs.map(({ digest, platform }) => [digest, platform ?? undefined]));
  const found = await readConfigs(
    context,
    configs.filter(({ platform }) => platform === undefined),
  );
  if (found.length > 0) {
    context.defer(unlessItFails("configs could not be noted", noteConfigs(context.db, found).run()));
  }
  return new Map([...noted, ...found.map(({ digest, platform }) => [digest, platform] as const)]);
}
