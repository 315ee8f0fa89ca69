import type { Digest } from "../oci/digest.ts";
import type { ConfigNote } from "../oci/image-config.ts";

/** A config of an image, and where its bytes lie. */
export interface StoredConfig {
  readonly digest: Digest;
  readonly objectKey: string;
  /** Bytes. */
  readonly size: number;
}

/** What a config states. */
export interface NotedConfig extends ConfigNote {
  readonly digest: Digest;
}

/** A statement that notes what configs state, so that nobody has to look again. */
export function noteConfigs(db: D1Database, found: readonly NotedConfig[]): D1PreparedStatement {
  const json = JSON.stringify(
    found.map(({ digest, platform, labels }) => ({ digest, platform: platform ?? {}, labels })),
  );
  return db
    .prepare(
      `UPDATE blobs SET platform = w.value -> 'platform', labels = w.value -> 'labels'
       FROM json_each(?1) w WHERE blobs.digest = w.value ->> 'digest'`,
    )
    .bind(json);
}
