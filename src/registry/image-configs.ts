import type { Context } from "../context.ts";
import { logError } from "../log.ts";
import type { NotedConfig, StoredConfig } from "../metadata/image-configs.ts";
import { CONFIG_MAX_BYTES, EMPTY_NOTE, readConfig } from "../oci/image-config.ts";
import { getBytes } from "../storage/objects.ts";

/** The connections that the platform lets a request have at once. */
const READS_AT_ONCE = 6;

/** What a config states; undefined where it could not be read, which is no answer for good. One class B operation. */
async function look({ bucket }: Context, { digest, objectKey, size }: StoredConfig): Promise<NotedConfig | undefined> {
  if (size > CONFIG_MAX_BYTES) return { digest, ...EMPTY_NOTE };
  try {
    return { digest, ...readConfig(await getBytes(bucket, objectKey)) };
  } catch (error) {
    logError("a config could not be read", error, { digest });
    return undefined;
  }
}

/** What configs state, but for those that could not be read. One class B operation each. */
export async function readConfigs(context: Context, configs: readonly StoredConfig[]): Promise<NotedConfig[]> {
  const wanted = [...new Map(configs.map((config) => [config.digest, config])).values()];
  const found: NotedConfig[] = [];
  for (let start = 0; start < wanted.length; start += READS_AT_ONCE) {
    const looks = wanted.slice(start, start + READS_AT_ONCE).map(async (config) => await look(context, config));
    found.push(...(await Promise.all(looks)).filter((one) => one !== undefined));
  }
  return found;
}
