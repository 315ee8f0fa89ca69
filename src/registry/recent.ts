import { AgedCache } from "../aged-cache.ts";
import type { Context } from "../context.ts";
import type { StoredBlob } from "../metadata/blobs.ts";
import type { StoredManifest } from "../metadata/manifests.ts";
import type { Digest } from "../oci/digest.ts";
import type { Reference, Tag } from "../oci/reference.ts";
import type { RepositoryName } from "../oci/repository-name.ts";

/** Together 16 MB of the 128 MB of an isolate. */
const BOUNDS = {
  manifests: { entries: 4_096, bytes: 13_000_000 },
  tags: { entries: 4_096, bytes: 1_500_000 },
  blobs: { entries: 4_096, bytes: 1_500_000 },
};

/** What a key, its value's parts and the map take beside a manifest's text, by estimate. */
const ENTRY_BYTES = 360;

/** Text outside Latin-1 takes two bytes a character. */
const CHARACTER_BYTES = 2;

/** Neither mark can be part of a name: so a repository's keys are those that begin with it and one of them. */
const digestKey = (repository: RepositoryName, digest: Digest): string => `${repository}@${digest}`;
const tagKey = (repository: RepositoryName, tag: Tag): string => `${repository}:${tag}`;

/** Keeps what was found, as it was at a time. */
export interface Keeper {
  manifest(repository: RepositoryName, reference: Reference, manifest: StoredManifest): void;
  blob(repository: RepositoryName, blob: StoredBlob): void;
}

/**
 * What this isolate was told a moment ago of what repositories hold. It is asked only for callers who may pull from the
 * repository, remembers nothing that was not there, and other isolates do not hear of it: docs/decisions/009-caches.md.
 */
export class Recent {
  readonly #manifests = new AgedCache<StoredManifest>(BOUNDS.manifests);
  readonly #tags = new AgedCache<Digest>(BOUNDS.tags);
  readonly #blobs = new AgedCache<StoredBlob>(BOUNDS.blobs);
  #changes = 0;

  /** The manifest that a tag or digest named later than `after`, with its text. */
  findManifest(repository: RepositoryName, reference: Reference, after: number): StoredManifest | undefined {
    const digest =
      reference.kind === "tag" ? this.#tags.get(tagKey(repository, reference.tag), after) : reference.digest;
    return digest && this.#manifests.get(digestKey(repository, digest), after);
  }

  /** The blob, if the repository held it later than `after`. */
  findBlob(repository: RepositoryName, digest: Digest, after: number): StoredBlob | undefined {
    return this.#blobs.get(digestKey(repository, digest), after);
  }

  /**
   * To be called before the database is asked: what it says is kept, unless something changes meanwhile, since it may have
   * been asked just before.
   */
  keeper(since: number): Keeper {
    const changes = this.#changes;
    const isCurrent = () => changes === this.#changes;
    return {
      manifest: (repository, reference, manifest) => {
        if (!isCurrent()) return;
        const { digest, text = "" } = manifest;
        const bytes = ENTRY_BYTES + text.length * CHARACTER_BYTES;
        this.#manifests.put(digestKey(repository, digest), manifest, since, bytes);
        if (reference.kind === "tag") this.#tags.put(tagKey(repository, reference.tag), digest, since, ENTRY_BYTES);
      },
      blob: (repository, blob) => {
        if (isCurrent()) this.#blobs.put(digestKey(repository, blob.digest), blob, since, ENTRY_BYTES);
      },
    };
  }

  /** Notes something of a manifest that does not make it another. */
  update(repository: RepositoryName, manifest: StoredManifest): void {
    this.#manifests.replace(digestKey(repository, manifest.digest), manifest);
  }

  /** Forgets what is kept of a repository, or of all of them. */
  forget(repository: RepositoryName | "all"): void {
    this.#changes += 1;
    const [content, tags] = repository === "all" ? ["", ""] : [`${repository}@`, `${repository}:`];
    this.#manifests.forget(content);
    this.#blobs.forget(content);
    this.#tags.forget(tags);
  }
}

/** A change to what repositories hold: what this isolate keeps of them is forgotten once it is made, or may have been. */
export async function changing<T>(
  { recent }: Pick<Context, "recent">,
  repositories: Iterable<RepositoryName> | "all",
  change: Promise<T>,
): Promise<T> {
  try {
    return await change;
  } finally {
    for (const repository of repositories === "all" ? (["all"] as const) : repositories) recent?.forget(repository);
  }
}
