import { makeBytes } from "./content.ts";
import { CountedRegistry } from "./counted-registry.ts";
import { makeImage, type ManifestContent, TOO_BIG_FOR_A_ROW } from "./manifest-content.ts";
import { createToken } from "./people.ts";
import * as push from "./pushes.ts";
import { freshRepository } from "./registry.ts";

/** All caches, as the Worker has them that keeps as much as it can. */
export const WARM = { CONTENT_CACHE_TTL: "60s", TAG_CACHE_TTL: "60s", BLOB_CACHE: "on" };

/** A repository with an image, and one who may pull from it and do nothing else. */
export interface Subject {
  readonly repository: string;
  readonly blobBytes: Uint8Array;
  readonly blob: string;
  readonly image: ManifestContent;
  readonly bigImage: ManifestContent;
  /** The headers of a puller. */
  readonly puller: { readonly Authorization: string };
}

let seed = 900_000;

/** A fresh repository, tags `latest` and `big`, of which nothing has been pulled. */
export async function makeSubject(repository = freshRepository()): Promise<Subject> {
  const registry = new CountedRegistry();
  const blobBytes = makeBytes(100_000, (seed += 1));
  const config = await push.storeBlob(registry, repository, blobBytes);
  const image = await makeImage([config], { annotations: { repository } });
  const bigImage = await makeImage([config], TOO_BIG_FOR_A_ROW);
  await push.pushManifest(registry, repository, "latest", image);
  await push.pushManifest(registry, repository, "big", bigImage);
  const robot = await createToken(repository, ["pull"]);
  const answer = await registry.send("GET", `/token?service=stowage&scope=repository:${repository}:pull`, {
    headers: robot.basic,
  });
  const { token } = JSON.parse(new TextDecoder().decode(answer.bytes)) as { token: string };
  const puller = { Authorization: `Bearer ${token}` };
  return { repository, blobBytes, blob: config.digest, image, bigImage, puller };
}

/** The paths of what can be pulled, by what it is. */
export function pathsOf({ repository, blob, image, bigImage }: Subject) {
  return {
    "a manifest by tag": `/v2/${repository}/manifests/latest`,
    "a manifest by digest": `/v2/${repository}/manifests/${image.digest}`,
    "a manifest too big for a row": `/v2/${repository}/manifests/${bigImage.digest}`,
    "a blob": `/v2/${repository}/blobs/${blob}`,
  } as const;
}
