import type { Digest } from "../../src/oci/digest.ts";
import { readConfig } from "../../src/oci/image-config.ts";
import type { ManifestReference } from "../../src/oci/manifest.ts";
import { isIndex } from "../../src/oci/media-type.ts";
import { fitsPlatform, formatPlatform, isNoPlatform, type Platform, readChildren } from "../../src/oci/platform.ts";
import type { Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { type Blob, hasBlob } from "../distribution/blobs.ts";
import { ImageFailure, Missing } from "../distribution/image-failure.ts";
import { findManifest, type Manifest, putManifest } from "../distribution/manifests.ts";
import { noteReferrer } from "../distribution/referrers.ts";
import type { Repository } from "../distribution/repository.ts";
import { uploadBlob } from "../distribution/uploads.ts";
import { type Lanes, settle } from "./lanes.ts";
import { readWhole, type Source } from "./source.ts";

/** What came of it, or, in a dry run, would. */
export interface Tally {
  manifests: { copied: number; present: number };
  blobs: { copied: number; mounted: number; present: number };
  /** Of the blobs that are copied. */
  bytes: number;
}

export function emptyTally(): Tally {
  return { manifests: { copied: 0, present: 0 }, blobs: { copied: 0, mounted: 0, present: 0 }, bytes: 0 };
}

/** What goes along with an image. */
export interface Company {
  /** Of an index only the image for this platform. */
  readonly platform?: Platform | undefined;
  /** What refers to a manifest, and to that. */
  readonly referrers: boolean;
  /** The source's tags, where cosign's among them come along: `sha256-….sig` and the like. */
  readonly cosignTags?: ReadonlySet<Tag>;
}

/**
 * Brings images from a source into a repository, byte for byte: blobs before manifests, manifests before indexes, tags last.
 * What is there already is not sent again, so that a run that broke off is mended by another one.
 */
export class Transfer {
  readonly #source: Source;
  readonly #destination: Repository;
  readonly #lanes: Lanes;
  readonly #company: Company;
  readonly #tally: Tally;
  /** What is done or under way. A tree is the digests of a manifest and of all that is below it. */
  readonly #trees = new Map<Digest, Promise<readonly Digest[]>>();
  readonly #tags = new Map<Tag, Promise<readonly Digest[]>>();
  readonly #blobs = new Map<Digest, Promise<void>>();
  readonly #added = new Set<Digest>();
  readonly #referrers = new Map<Digest, Promise<readonly Digest[]>>();
  /** The last change of each list of referrers that this side keeps. */
  readonly #notes = new Map<Digest, Promise<void>>();

  constructor(source: Source, destination: Repository, lanes: Lanes, company: Company, tally: Tally) {
    this.#source = source;
    this.#destination = destination;
    this.#lanes = lanes;
    this.#company = company;
    this.#tally = tally;
  }

  /** Copies what the reference names, with its company, and then lets the tags name it. */
  async copy(reference: string, tags: readonly Tag[]): Promise<{ digest: Digest; isNew: boolean }> {
    const named = await this.#lanes.ask(async () => await this.#source.getManifest(reference));
    const { platform } = this.#company;
    const manifest = platform === undefined ? named : await this.#pick(named, platform);
    await this.#copyCompany(await this.#copyTree(manifest.digest, manifest));
    const { digest } = manifest;
    let isNew = this.#added.has(digest);
    for (const tag of tags) isNew = (await this.#tag(manifest, tag)) || isNew;
    return { digest, isNew };
  }

  /** Round by round: what belongs to the images, then what belongs to that. */
  async #copyCompany(tree: readonly Digest[]): Promise<void> {
    const seen = new Set(tree);
    for (let round = [...tree]; round.length > 0;) {
      const found = (await settle(round.map(async (digest) => await this.#copyRelatives(digest)))).flat();
      round = [...new Set(found)].filter((digest) => !seen.has(digest));
      for (const digest of round) seen.add(digest);
    }
  }

  /** What refers to a manifest. The digests of all that it brought. */
  async #copyRelatives(digest: Digest): Promise<readonly Digest[]> {
    const tags = ["sig", "att", "sbom"].map((kind) => `${digest.replace(":", "-")}.${kind}` as Tag);
    const found = tags.filter((tag) => this.#company.cosignTags?.has(tag));
    const tagged = found.map(async (tag) => await remember(this.#tags, tag, async () => await this.#copyTagged(tag)));
    const referrers = this.#company.referrers ? await this.#listReferrers(digest) : [];
    const trees = referrers.map(async (referrer) => await this.#copyTree(referrer));
    return (await settle([...tagged, ...trees])).flat();
  }

  async #copyTagged(tag: Tag): Promise<readonly Digest[]> {
    const manifest = await this.#lanes.ask(async () => await this.#source.getManifest(tag));
    const tree = await this.#copyTree(manifest.digest, manifest);
    await this.#tag(manifest, tag);
    return tree;
  }

  async #listReferrers(digest: Digest): Promise<readonly Digest[]> {
    return await remember(this.#referrers, digest, async () => {
      return await this.#lanes.ask(async () => await this.#source.listReferrers(digest));
    });
  }

  async #copyTree(digest: Digest, known?: Manifest): Promise<readonly Digest[]> {
    return await remember(this.#trees, digest, async () => {
      const manifest = known ?? (await this.#lanes.ask(async () => await this.#source.getManifest(digest)));
      const isThere = await this.#lanes.ask(async () => await findManifest(this.#destination, digest));
      const { references } = manifest.content;
      const blobs = references.filter(({ role, distributable }) => role !== "manifest" && distributable);
      // A registry holds what its manifests need. But an index may be sparse there.
      const sent = isThere === undefined ? blobs.map(async (blob) => await this.#copyBlob(blob)) : [];
      const children = references.filter(({ role }) => role === "manifest");
      const below = children.map(async (child) => await this.#copyChild(child));
      const trees = await settle([...sent, ...below]);
      if (isThere === undefined) await this.#put(manifest);
      this.#tally.manifests[isThere === undefined ? "copied" : "present"] += 1;
      return [digest, ...trees.flat()];
    });
  }

  /** Of an index. BuildKit once wrote indexes that list layers as if they were manifests. */
  async #copyChild(child: ManifestReference): Promise<readonly Digest[]> {
    try {
      return await this.#copyTree(child.digest);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      const isThere = await this.#lanes.ask(async () => await findManifest(this.#destination, child.digest));
      return isThere === undefined ? await this.#copyBlob(child) : [];
    }
  }

  /** Below a blob is nothing. */
  async #copyBlob({ digest, size }: Blob): Promise<readonly Digest[]> {
    await remember(this.#blobs, digest, async () => {
      await this.#lanes.carry(async () => {
        await this.#lanes.bring(this.#destination, digest, async (holder) => {
          await this.#sendBlob({ digest, size }, holder);
        });
      });
    });
    return [];
  }

  /** `holder` is another repository of the registry that has it. */
  async #sendBlob(blob: Blob, holder: RepositoryName | undefined): Promise<void> {
    const { blobs } = this.#tally;
    const destination = this.#destination;
    const { repository } = this.#source;
    const mountFrom = repository?.connection === destination.connection ? repository.name : holder;
    if (await hasBlob(destination, blob.digest)) {
      blobs.present += 1;
      return;
    }
    const outcome = await this.#upload(blob, mountFrom);
    blobs[outcome === "mounted" ? "mounted" : "copied"] += 1;
    if (outcome === "uploaded") this.#tally.bytes += blob.size;
  }

  async #upload(blob: Blob, mountFrom: RepositoryName | undefined): Promise<"mounted" | "uploaded"> {
    if (this.#lanes.isDryRun) return mountFrom === undefined ? "uploaded" : "mounted";
    const step = this.#lanes.progress.begin(shorten(blob.digest), blob.size);
    const open = (offset: number) => this.#source.openBlob(blob, offset);
    const outgoing = { blob, open, mountFrom, onProgress: step.at };
    return await uploadBlob(this.#destination, outgoing, this.#lanes.limitOf(this.#destination)).finally(step.end);
  }

  async #put(manifest: Manifest): Promise<void> {
    this.#added.add(manifest.digest);
    if (this.#lanes.isDryRun) return;
    const { subject } = manifest.content;
    const put = async () => await putManifest(this.#destination, manifest.digest, manifest);
    const { knowsSubject } = await this.#lanes.ask(put);
    if (subject === undefined || knowsSubject) return;
    const before = this.#notes.get(subject) ?? Promise.resolve();
    const note = before.then(async () => {
      await this.#lanes.ask(async () => await noteReferrer(this.#destination, subject, manifest));
    });
    this.#notes.set(subject, note);
    await note;
  }

  /** Whether it named something else before. */
  async #tag(manifest: Manifest, tag: Tag): Promise<boolean> {
    return await this.#lanes.ask(async () => {
      if ((await findManifest(this.#destination, tag)) === manifest.digest) return false;
      if (!this.#lanes.isDryRun) await putManifest(this.#destination, tag, manifest);
      return true;
    });
  }

  /** The image for a platform. */
  async #pick(named: Manifest, platform: Platform): Promise<Manifest> {
    const wanted = formatPlatform(platform);
    const lacks = (offered: readonly Platform[]) => {
      const what = offered.map(formatPlatform).join(", ") || "none that says what it is for";
      return new ImageFailure(`there is no image for ${wanted} in ${named.digest}: there is ${what}`);
    };
    if (isIndex(named.mediaType)) {
      const offered = readChildren(named.bytes);
      const found = offered.find((image) => image.platform && fitsPlatform(platform, image.platform));
      const platforms = offered.map((image) => image.platform).filter((one) => one !== undefined);
      if (found === undefined) throw lacks(platforms.filter((one) => !isNoPlatform(one)));
      return await this.#lanes.ask(async () => await this.#source.getManifest(found.digest));
    }
    const config = named.content.references.find(({ digest }) => digest === named.content.imageConfig);
    const bytes = config && (await this.#lanes.ask(async () => await readWhole(this.#source, config)));
    const own = bytes && readConfig(bytes).platform;
    if (own !== undefined && fitsPlatform(platform, own)) return named;
    throw lacks(own === undefined ? [] : [own]);
  }
}

/** `sha256:0123456789ab`, as docker shows it. */
function shorten(digest: Digest): string {
  return digest.slice(0, digest.indexOf(":") + 13);
}

/** Does something once for each key; who asks later gets the same. */
async function remember<K, T>(known: Map<K, Promise<T>>, key: K, work: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before !== undefined) return await before;
  const begun = work();
  known.set(key, begun);
  return await begun;
}
