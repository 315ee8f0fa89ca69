import type { Context } from "../../src/context.ts";
import type { Reference, Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import type { Actor } from "../../src/policy/actor.ts";
import * as blobs from "../../src/registry/blobs.ts";
import * as manifests from "../../src/registry/manifests.ts";
import { notePull } from "../../src/registry/pull-counts.ts";
import type { Catalog, Content, ManifestContent } from "./contents.ts";
import { type Model, PRESENT } from "./model.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { RuleBook } from "./rules.ts";
import type { Service } from "./service.ts";
import type { SimulatedStream } from "./streams.ts";
import { HOUR_MS, type Pace } from "./times.ts";
import type { World } from "./world.ts";

/** Where a history takes place, and what is known of it. */
export interface Scene {
  readonly world: World;
  readonly network: Network;
  readonly random: Random;
  readonly service: Service;
  readonly model: Model;
  readonly catalog: Catalog;
  readonly repositories: readonly RepositoryName[];
  readonly tags: readonly Tag[];
  readonly pace: Pace;
  /** Retention rules that there may be; none where tags go by nobody's rule. */
  readonly books: readonly RuleBook[];
  /** Tags that say how long they live do not live longer. */
  readonly hasExpiringTags: boolean;
  /** Clients release tags, and say when they end. */
  readonly hasReleases: boolean;
}

/** The tag that says that it lives for an hour. */
export const HOUR_TAG = "1h" as Tag;

/** How long a tag lives by what it is called; undefined: it does not end by itself. */
export function ownLifeOf({ hasExpiringTags }: Scene, tag: Tag): number | undefined {
  return hasExpiringTags && tag === HOUR_TAG ? HOUR_MS : undefined;
}

/** How long a tag lives after the push of a manifest, which may say so itself. */
export function lifeOf(scene: Scene, tag: Tag, { lifeMs }: ManifestContent): number | undefined {
  return lifeMs ?? ownLifeOf(scene, tag);
}

/** Manifests that are certainly there: what a tag can be moved to. */
export function contentsOf({ model, catalog }: Scene, repository: RepositoryName): readonly ManifestContent[] {
  return catalog.manifests.filter(({ digest }) => model.certain(model.manifest(repository, digest)) === PRESENT);
}

export const ACTOR: Actor = { name: "account:someone", credential: "password" };

/** The bytes that an operation gave, as a stream or as a text. */
export async function readAll(body: ReadableStream | string): Promise<Uint8Array> {
  if (typeof body === "string") return new TextEncoder().encode(body);
  return await (body as unknown as SimulatedStream).collect();
}

/** A manifest as a pull gets it. */
export async function pullManifest(context: Context, repository: RepositoryName, reference: Reference) {
  const found = await manifests.findManifest(context, repository, reference, true);
  notePull(context, repository, found);
  return { digest: found.digest, bytes: await readAll(await manifests.readManifest(context, found)) };
}

/** A blob as a pull gets it, which pardons nothing. */
export async function pullBlob(context: Context, repository: RepositoryName, content: Content): Promise<Uint8Array> {
  const found = await blobs.findBlob(context, repository, content.digest);
  return await readAll(await blobs.readBlob(context, found));
}

export const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
