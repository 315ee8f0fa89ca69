import type { Context } from "../context.ts";
import type { NewManifest } from "../metadata/manifests.ts";
import { endTagsAfter } from "../metadata/tags.ts";
import { CONFIG_MAX_BYTES, readLabel } from "../oci/image-config.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { Tag } from "../oci/reference.ts";
import { EXPIRES_AFTER, parseLife } from "../policy/expiring-tag.ts";
import { getBytes } from "../storage/objects.ts";

/** How long a manifest says that the tags of its push live: by its annotation, or else by a label of its config. */
export function lifeOf(manifest: Manifest, tags: readonly Tag[]): Pick<NewManifest, "lifeMs" | "labelled"> {
  const lifeMs = parseLife(manifest.annotations?.[EXPIRES_AFTER] ?? "");
  const config = lifeMs === undefined && tags.length > 0 ? manifest.imageConfig : undefined;
  return { lifeMs, labelled: config && { config, maxBytes: CONFIG_MAX_BYTES } };
}

/**
 * Lets the tags of a push end as a label of its config says. One class B operation, and one D1 query where there is such a
 * label. Throws what R2 throws: the client then pushes again, and no tag stays that should end.
 */
export async function applyLabel({ db, bucket }: Context, pushed: NewManifest, configKey: string): Promise<void> {
  const lifeMs = parseLife(readLabel(await getBytes(bucket, configKey), EXPIRES_AFTER) ?? "");
  if (lifeMs !== undefined) await endTagsAfter(db, pushed, lifeMs);
}
