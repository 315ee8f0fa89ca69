import type { Context } from "../context.ts";
import { claimMirror, findMirrored, isOwnRepository, type MirroredManifest, noteTag } from "../metadata/mirrored.ts";
import { deleteTag } from "../metadata/tags.ts";
import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import type { Reference, Tag } from "../oci/reference.ts";
import type { Actor } from "../policy/actor.ts";
import type { MirrorAddress } from "../policy/upstream.ts";
import { type FoundManifest, foundManifest } from "../registry/content.ts";
import { pushManifest, readManifest, type StoredManifest } from "../registry/manifests.ts";
import { pullManifest } from "../registry/pulls.ts";
import { changing } from "../registry/recent.ts";
import { ripenessOf } from "./cooldown.ts";
import { UpstreamError } from "./upstream-error.ts";
import { getManifest, headManifest, type ManifestHead, type UpstreamManifest } from "./upstream-manifests.ts";

type TagReference = Reference & { readonly kind: "tag" };
type DigestReference = Reference & { readonly kind: "digest" };

/** A manifest that is here, and what is known of the tag that names it. */
type Known = MirroredManifest & { readonly found: StoredManifest };

const hasFound = (state: MirroredManifest): state is Known => state.found !== undefined;

/** The manifests of a repository of an upstream, by tag and by digest. */
export class MirroredManifests {
  readonly #context: Context;
  readonly #address: MirrorAddress;

  constructor(context: Context, address: MirrorAddress) {
    this.#context = context;
    this.#address = address;
  }

  /**
   * Spec end-3. What is here costs what one of our own costs: a tag for as long as it is fresh, and what has a digest always.
   * @throws UpstreamError for what is not here, and is not to be had; OciError
   */
  async find(reference: Reference, withText: boolean): Promise<FoundManifest> {
    return reference.kind === "tag"
      ? await this.#findTag(reference, withText)
      : await this.#findDigest(reference, withText);
  }

  async #findDigest(reference: DigestReference, withText: boolean): Promise<FoundManifest> {
    const { repository } = this.#address;
    const { digest } = reference;
    const tag = this.#tagOf(digest);
    try {
      const manifest = await pullManifest(this.#context, repository, reference);
      if (tag !== undefined) this.#context.defer(this.#tagStored(manifest, tag));
      return foundManifest(this.#context, repository, manifest);
    } catch (error) {
      if (!(error instanceof OciError) || error.status !== 404) throw error;
      const isOwn = error.code !== "NAME_UNKNOWN" && (await isOwnRepository(this.#context.db, repository));
      if (isOwn) throw error;
    }
    if (!withText) return headOnly(await headManifest(this.#context, this.#address, reference));
    const manifest = await getManifest(this.#context, this.#address, reference);
    return await this.#keep(manifest, tag);
  }

  async #findTag(reference: TagReference, withText: boolean): Promise<FoundManifest> {
    const { repository, upstream } = this.#address;
    const { db, now } = this.#context;
    const known = this.#recent(reference);
    if (known) return foundManifest(this.#context, repository, known);
    const askedAt = now();
    const keeper = this.#context.recent?.keeper(askedAt);
    const state = await findMirrored(db, repository, reference, withText);
    if (state.isOwn && !hasFound(state)) throw new OciError("MANIFEST_UNKNOWN", { detail: { tag: reference.tag } });
    const isFresh = state.checkedAt > now() - upstream.freshnessMs;
    if (hasFound(state) && (state.isOwn || isFresh)) {
      if (withText) keeper?.manifest(repository, reference, state.found);
      return foundManifest(this.#context, repository, state.found);
    }
    return await this.#revalidate(reference, state, withText);
  }

  /** What this isolate was told a moment ago of a tag, where the settings let it be as old as that. */
  #recent(reference: TagReference): StoredManifest | undefined {
    const { recent, config, now } = this.#context;
    return recent?.findManifest(this.#address.repository, reference, now() - config.tagCacheTtlMs);
  }

  async #revalidate(reference: TagReference, state: MirroredManifest, withText: boolean): Promise<FoundManifest> {
    if (!hasFound(state)) return await this.#findNew(reference, state, withText);
    const { upstream } = this.#address;
    try {
      const pause = this.#context.mirror.pauseOf(upstream.name, this.#context.now());
      if (pause) throw pause.error;
      const head = await headManifest(this.#context, this.#address, reference);
      if (head.digest === state.found.digest) return await this.#confirm(reference, state.found);
      if (upstream.cooldownMs === undefined && !withText) return this.#headed(reference, head);
      const manifest = await getManifest(this.#context, this.#address, {
        kind: "digest",
        digest: head.digest,
      });
      return await this.#move(reference, state, manifest, withText);
    } catch (error) {
      // A rule says that the tag does not move.
      if (error instanceof OciError && error.code === "DENIED") return this.#servedAsItWas(state, error.message);
      if (!(error instanceof UpstreamError)) throw error;
      if (error.problem === "unknown") await this.#forget(reference);
      if (error.problem === "unknown" || this.#isTooOld(state)) throw error;
      return this.#servedAsItWas(state, error.message);
    }
  }

  /** A tag that is not here. HEAD stores nothing, but for what this isolate remembers. */
  async #findNew(reference: TagReference, state: MirroredManifest, withText: boolean): Promise<FoundManifest> {
    if (!withText && this.#address.upstream.cooldownMs === undefined) {
      return this.#headed(reference, await headManifest(this.#context, this.#address, reference));
    }
    const manifest = await getManifest(this.#context, this.#address, reference);
    return await this.#move(reference, state, manifest, withText);
  }

  /** The tag names something else now: that is served, unless it is too young. */
  async #move(
    reference: TagReference,
    state: MirroredManifest,
    manifest: UpstreamManifest,
    withText: boolean,
  ): Promise<FoundManifest> {
    const { upstream, repository } = this.#address;
    const { db, now } = this.#context;
    const { found, waiting } = state;
    const candidate = { manifest, current: found?.digest, waiting };
    const ripeness = await ripenessOf(this.#context, this.#address, candidate);
    if (ripeness.isRipe)
      return withText ? await this.#keep(manifest, reference.tag) : this.#headed(reference, manifest);
    const { digest } = manifest;
    await claimMirror(db, repository, upstream.name, now());
    const since = waiting?.digest === digest ? waiting.since : now();
    await noteTag(db, repository, reference.tag, { checkedAt: now(), waiting: { digest, since } });
    const until = new Date(ripeness.since + (upstream.cooldownMs ?? 0)).toISOString();
    const message = `${upstream.name} has a new ${reference.tag}, which is too young to be served until ${until}`;
    if (found) return foundManifest(this.#context, repository, found, `${message}: this is the one before`);
    throw new OciError("DENIED", { message });
  }

  /** The upstream says that the tag names what it names here. */
  async #confirm({ tag }: TagReference, manifest: StoredManifest): Promise<FoundManifest> {
    const { repository } = this.#address;
    const { db, now, defer } = this.#context;
    defer(noteTag(db, repository, tag, { checkedAt: now(), waiting: undefined }));
    return await Promise.resolve(foundManifest(this.#context, repository, manifest));
  }

  #headed({ tag }: TagReference, head: ManifestHead): FoundManifest {
    this.#context.mirror.noteTag(this.#address.repository, head.digest, tag, this.#context.now());
    return headOnly(head);
  }

  /** The tag that was just said to name this. */
  #tagOf(digest: Digest): Tag | undefined {
    const { repository, upstream } = this.#address;
    return this.#context.mirror.takeTag(repository, digest, this.#context.now() - upstream.freshnessMs);
  }

  /** Whether the settings do not let this be served any longer, while the upstream cannot be asked for it. */
  #isTooOld({ checkedAt }: Known): boolean {
    const { staleMs } = this.#address.upstream;
    return staleMs !== undefined && checkedAt <= this.#context.now() - staleMs;
  }

  #servedAsItWas({ found, checkedAt }: Known, reason: string): FoundManifest {
    const warning = `${reason}: this is what it had at ${new Date(checkedAt).toISOString()}`;
    return foundManifest(this.#context, this.#address.repository, found, warning);
  }

  /** The upstream has the tag no more: neither have we. What it named stays for who knows its digest, as long as others are kept. */
  async #forget({ tag }: TagReference): Promise<void> {
    const { repository } = this.#address;
    const { db, now } = this.#context;
    const deletion = deleteTag(db, { repository, tag, actor: this.#actor, now: now() });
    await changing(this.#context, [repository], deletion);
  }

  /** A tag whose manifest is here already, as clients have it that ask for the tag by HEAD alone. */
  async #tagStored(manifest: StoredManifest, tag: Tag): Promise<void> {
    const { digest, mediaType, size } = manifest;
    const reference = { kind: "tag", tag } as const;
    const state = await findMirrored(this.#context.db, this.#address.repository, reference, false);
    if (state.isOwn || state.found?.digest === digest) return;
    const bytes = new Uint8Array(await new Response(await readManifest(this.#context, manifest)).arrayBuffer());
    await this.#keep({ digest, mediaType, size, bytes }, tag);
  }

  /** Stores a manifest under its digest, and moves the tag to it. Three D1 round trips. */
  async #keep(manifest: UpstreamManifest, tag: Tag | undefined): Promise<FoundManifest> {
    const { repository, upstream } = this.#address;
    const { db, now } = this.#context;
    const { digest, mediaType, size, bytes } = manifest;
    const isMirror = await claimMirror(db, repository, upstream.name, now());
    if (isMirror) {
      try {
        await pushManifest(this.#context, {
          ...{ repository, bytes, contentType: mediaType, actor: this.#actor, sparse: "all" },
          ...{ reference: { kind: "digest", digest }, tags: tag === undefined ? [] : [tag] },
        });
        if (tag !== undefined) await noteTag(db, repository, tag, { checkedAt: now(), waiting: undefined });
      } catch (error) {
        // A kind that we do not know: clients may.
        if (!(error instanceof OciError) || error.code !== "MANIFEST_INVALID") throw error;
      }
    }
    const stored = { digest, mediaType, size, objectKey: undefined, pulledAt: undefined, text: undefined };
    const found = foundManifest(this.#context, repository, stored);
    return { ...found, read: () => Promise.resolve(new Blob([bytes]).stream()) };
  }

  get #actor(): Actor {
    return { name: `mirror:${this.#address.upstream.name}`, credential: "none" };
  }
}

/** What is known of a manifest without its bytes. */
function headOnly({ digest, mediaType, size }: ManifestHead): FoundManifest {
  return { digest, mediaType, size, read: () => Promise.resolve(""), notePull: () => undefined };
}
