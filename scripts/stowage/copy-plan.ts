import type { Tag } from "../../src/oci/reference.ts";
import { isRepositoryName, type RepositoryName } from "../../src/oci/repository-name.ts";
import { matchesTag, type TagPattern } from "../../src/policy/pattern.ts";
import { listRepositories } from "../distribution/catalog.ts";
import type { Connection } from "../distribution/connection.ts";
import { ImageFailure } from "../distribution/image-failure.ts";
import {
  DOCKER_HUB,
  formatImageName,
  type ImageName,
  isPattern,
  parseImageName,
  splitHost,
  withDefaultHost,
} from "../distribution/image-name.ts";
import { type Repository, titleOf } from "../distribution/repository.ts";
import { listTags } from "../distribution/tags.ts";
import { Failure } from "../local/failure.ts";
import type { Item } from "../transfer/batch.ts";
import type { Lanes } from "../transfer/lanes.ts";
import { sourceOf } from "../transfer/source.ts";
import { type Company, type Tally, Transfer } from "../transfer/transfer.ts";
import type { Endpoints } from "./endpoints.ts";
import { Refusal } from "./http.ts";

/** What the command line says of what goes along. */
export interface CopyChoices extends Omit<Company, "cosignTags"> {
  readonly allTags?: boolean;
  readonly cosign?: boolean;
}

/** What is copied: an image, the tags of a pattern, a repository, or all repositories that begin so. */
type Wanted =
  | { readonly kind: "image"; readonly name: ImageName & { readonly host: string } }
  | { readonly kind: "prefix"; readonly host: string; readonly prefix: string };

/** Where images go. */
export interface Destination {
  readonly host: string | undefined;
  readonly tag: Tag | undefined;
  readonly nameOf: (source: RepositoryName) => RepositoryName;
}

/** @throws Failure (misuse) */
export function parseWanted(text: string, { allTags = false, platform }: CopyChoices): Wanted {
  if (text.endsWith("/")) {
    const { host = DOCKER_HUB, rest: prefix } = splitHost(text);
    if (allTags) return { kind: "prefix", host, prefix };
    throw new Failure(`${text} stands for all repositories below it: add --all-tags, or leave the / away`, 2);
  }
  const name = withDefaultHost(parseImageName(text));
  const { tag, digest } = name;
  if (allTags && (tag !== undefined || digest !== undefined)) {
    throw new Failure(`--all-tags is for a repository, and ${formatImageName(name)} is less`, 2);
  }
  if (platform !== undefined && digest !== undefined && tag !== undefined) {
    throw new Failure(`${formatImageName(name)} has a tag and a digest: with --platform give one of them`, 2);
  }
  return { kind: "image", name };
}

/** @throws Failure (misuse) where it does not go with what is copied. */
export function parseDestination(text: string, wanted: readonly Wanted[], isAllTags: boolean): Destination {
  if (text.endsWith("/")) {
    const { host, rest } = splitHost(text);
    return { host, tag: undefined, nameOf: (source) => prefixed(rest, source) };
  }
  const { host, repository, tag, digest } = parseImageName(text);
  if (digest !== undefined) throw new Failure(`${text}: a digest is not given, but found; leave it away`, 2);
  const isOne =
    wanted.length === 1 && !isAllTags && wanted.every((one) => one.kind === "image" && !isPattern(one.name));
  if (tag !== undefined && (!isOne || tag.includes("*"))) {
    throw new Failure(`${text} is one tag, for which there are several images: leave :${tag} away`, 2);
  }
  const repositories = new Set(wanted.map((one) => one.kind === "image" && `${one.name.host}/${one.name.repository}`));
  if (isAllTags && (repositories.size > 1 || repositories.has(false))) {
    throw new Failure(`the tags of several repositories would mix in ${text}: write ${text}/ to keep them apart`, 2);
  }
  return { host, tag: tag as Tag | undefined, nameOf: () => repository };
}

function prefixed(before: string, source: RepositoryName): RepositoryName {
  const name = `${before}${source}`;
  if (isRepositoryName(name)) return name;
  throw new Failure(`'${name}' is no repository: use lower-case letters and digits, separated by . _ - or /`, 2);
}

/** Finds out what to copy, image by image: lists repositories and tags, where all of them are wanted, or those of a pattern. */
export class CopyPlan {
  readonly #endpoints: Endpoints;
  readonly #lanes: Lanes;
  readonly #tally: Tally;
  readonly #choices: CopyChoices;
  readonly #wanted: readonly Wanted[];
  readonly #destination: Destination;
  readonly #needsTags: boolean;
  readonly #transfers = new Map<string, { readonly transfer: Transfer; readonly tags: ReadonlySet<Tag> }>();

  constructor(
    { endpoints, lanes, tally }: { endpoints: Endpoints; lanes: Lanes; tally: Tally },
    choices: CopyChoices,
    wanted: readonly Wanted[],
    destination: Destination,
  ) {
    this.#endpoints = endpoints;
    this.#lanes = lanes;
    this.#tally = tally;
    this.#choices = choices;
    this.#wanted = wanted;
    this.#destination = destination;
    const isPatternAmong = wanted.some((one) => one.kind === "image" && isPattern(one.name));
    this.#needsTags = choices.allTags === true || choices.cosign === true || isPatternAmong;
  }

  async items(): Promise<Item[]> {
    const { host } = this.#destination;
    // First of all: whose credentials the variables are depends on it.
    const target = host === undefined ? await this.#endpoints.connectHome() : await this.#endpoints.connect(host, true);
    const items: Item[] = [];
    for (const one of this.#wanted) {
      const source = await this.#endpoints.connect(one.kind === "image" ? one.name.host : one.host, false);
      if (one.kind === "image") items.push(...(await this.#ofImage(one.name, source, target)));
      else items.push(...(await this.#ofPrefix(one.prefix, source, target)));
    }
    return items;
  }

  async #ofImage(name: ImageName, source: Connection, target: Connection): Promise<Item[]> {
    const repository: Repository = { connection: source, name: name.repository };
    if (!isPattern(name) && this.#choices.allTags !== true) {
      const tag = name.tag ?? (name.digest === undefined ? "latest" : undefined);
      const to = this.#destination.tag ?? (tag as Tag | undefined);
      return [await this.#item(repository, target, name.digest ?? tag ?? "", to, formatImageName({ ...name, tag }))];
    }
    const items = await this.#ofTags(repository, target, (name.tag ?? "*") as TagPattern);
    if (items.length > 0) return items;
    throw new ImageFailure(`there is no tag in ${formatImageName(name)}: nothing is copied`);
  }

  async #ofPrefix(prefix: string, source: Connection, target: Connection): Promise<Item[]> {
    const items: Item[] = [];
    let isAny = false;
    for await (const name of listRepositories(source)) {
      if (!name.startsWith(prefix)) continue;
      isAny = true;
      items.push(...(await this.#ofTags({ connection: source, name }, target, "*" as TagPattern)));
    }
    if (isAny) return items;
    throw new ImageFailure(`${source.endpoint.host} lists no repository below '${prefix}': nothing is copied`);
  }

  async #ofTags(repository: Repository, target: Connection, pattern: TagPattern): Promise<Item[]> {
    const { tags } = await this.#transferOf(repository, target);
    const wanted = [...tags].filter((tag) => matchesTag(pattern, tag));
    const title = titleOf(repository);
    return await Promise.all(
      wanted.map(async (tag) => await this.#item(repository, target, tag, tag, `${title}:${tag}`)),
    );
  }

  async #item(
    repository: Repository,
    target: Connection,
    reference: string,
    tag: Tag | undefined,
    source: string,
  ): Promise<Item> {
    const { transfer } = await this.#transferOf(repository, target);
    const to = titleOf({ connection: target, name: this.#destination.nameOf(repository.name) });
    const destination = tag === undefined ? to : `${to}:${tag}`;
    return { transfer, reference, tags: tag === undefined ? [] : [tag], source, destination };
  }

  /** One for each pair of repositories, with the source's tags where they matter. */
  async #transferOf(repository: Repository, target: Connection) {
    const to: Repository = { connection: target, name: this.#destination.nameOf(repository.name) };
    const key = `${titleOf(repository)} ${titleOf(to)}`;
    const known = this.#transfers.get(key);
    if (known) return known;
    const { cosign = false, platform, referrers } = this.#choices;
    const tags = this.#needsTags ? await readTags(repository) : new Set<Tag>();
    const company = { platform, referrers, ...(cosign && { cosignTags: tags }) };
    const made = { tags, transfer: new Transfer(sourceOf(repository), to, this.#lanes, company, this.#tally) };
    this.#transfers.set(key, made);
    return made;
  }
}

async function readTags(repository: Repository): Promise<ReadonlySet<Tag>> {
  const tags = new Set<Tag>();
  try {
    for await (const tag of listTags(repository)) tags.add(tag);
  } catch (error) {
    // What is listed and empty is no repository to some registries.
    if (!(error instanceof Refusal) || error.status !== 404) throw error;
  }
  return tags;
}
