import type { Platform } from "../../../src/oci/platform.ts";
import type { Tag } from "../../../src/oci/reference.ts";
import { isRepositoryName, type RepositoryName } from "../../../src/oci/repository-name.ts";
import { matchesTag, type TagPattern } from "../../../src/policy/pattern.ts";
import { ImageFailure } from "../../distribution/image-failure.ts";
import {
  formatImageName,
  type ImageName,
  isPattern,
  parseImageName,
  splitHost,
  withDefaultHost,
} from "../../distribution/image-name.ts";
import { type Repository, titleOf } from "../../distribution/repository.ts";
import { listTags } from "../../distribution/tags.ts";
import { Failure } from "../../local/failure.ts";
import { type Item, transferAll } from "../../transfer/batch.ts";
import { Lanes } from "../../transfer/lanes.ts";
import { sourceOf } from "../../transfer/source.ts";
import { emptyTally, type Tally, Transfer } from "../../transfer/transfer.ts";
import { parsePlatformOption } from "../arguments.ts";
import type { Endpoints } from "../endpoints.ts";
import { example, type Noun } from "../noun.ts";
import { showProgress } from "../progress-bars.ts";
import type { Session } from "../session.ts";
import { addTransferOptions, showResults, type TransferOptions } from "../transfer-options.ts";

interface CopyOptions extends TransferOptions {
  readonly allTags?: boolean;
  readonly referrers: boolean;
  readonly cosign?: boolean;
  readonly platform?: Platform;
}

const NAMES = `
An image is named as docker names it: nginx is docker.io/library/nginx:latest. The last name says where to: a repository, with
a tag or without, of any registry, or of this one where it has no host; or, with / at its end, what comes before the names
that the repositories have. Credentials are those of docker login, for each host its own.
`;

/** Images, from one registry to another. */
export const copy: Noun = (program, act) => {
  const command = program
    .command("copy")
    .description("copy images between registries, byte for byte; what is there already is not sent again")
    .argument("<image...>", "what, and at the end where to")
    .option("--all-tags", "all tags of the repositories, cosign's too")
    .option("--platform <platform>", "of an image for several platforms only the one for this", parsePlatformOption)
    .option("--no-referrers", "without the signatures, SBOMs and attestations that refer to an image")
    .option("--cosign", "with cosign's signatures, SBOMs and attestations under tags such as sha256-….sig");
  addTransferOptions(command)
    .addHelpText(
      "after",
      NAMES +
        example(
          "stowage copy nginx:1.27 mirror/nginx:1.27",
          "stowage copy 'ghcr.io/acme/app:v1.*' registry.example.org/acme/app",
          "stowage copy --all-tags old.example.org/team/web old.example.org/team/api registry.example.org/",
        ),
    )
    .action(act(run));
};

async function run(session: Session, names: readonly string[], options: CopyOptions): Promise<void> {
  const { dryRun: isDryRun = false, jobs, chunkSize: chunkBytes, plainHttp } = options;
  const [target, ...wanted] = [...names].reverse();
  if (target === undefined || wanted.length === 0) throw new Failure("say what to copy, and then where to", 2);
  const images = wanted.reverse().map((text) => withDefaultHost(parseImageName(text)));
  for (const image of images) assertWhole(image, options);
  const destination = parseDestination(target, images, options.allTags ?? false);
  const endpoints = session.endpoints(plainHttp);
  const { progress, stop } = await showProgress(session.environment);
  const tally = emptyTally();
  try {
    const lanes = new Lanes({ jobs, isDryRun, chunkBytes, progress, stop: endpoints.stop });
    const items = await plan({ endpoints, lanes, tally, options }, images, destination);
    const results = await transferAll(items, jobs);
    stop();
    showResults(session, results, tally, isDryRun);
  } finally {
    stop();
    await endpoints.close();
  }
}

function assertWhole(image: ImageName, { allTags = false, platform }: CopyOptions): void {
  const isNamed = image.tag !== undefined || image.digest !== undefined;
  if (allTags && isNamed) throw new Failure(`--all-tags is for a repository, and ${formatImageName(image)} is less`, 2);
  if (platform === undefined || image.digest === undefined || image.tag === undefined) return;
  throw new Failure(`${formatImageName(image)} has a tag and a digest: with --platform give one of them`, 2);
}

/** Where images go. */
interface Destination {
  readonly host: string | undefined;
  readonly tag: Tag | undefined;
  readonly nameOf: (source: RepositoryName) => RepositoryName;
}

function parseDestination(text: string, images: readonly ImageName[], isAllTags: boolean): Destination {
  if (text.endsWith("/")) {
    const { host, rest } = splitHost(text);
    return { host, tag: undefined, nameOf: (source) => prefix(rest, source) };
  }
  const { host, repository, tag, digest } = parseImageName(text);
  if (digest !== undefined) throw new Failure(`${text}: a digest is not given, but found; leave it away`, 2);
  const isOne = images.length === 1 && !isAllTags && !images.some(isPattern);
  if (tag !== undefined && (!isOne || tag.includes("*"))) {
    throw new Failure(`${text} is one tag, for which there are several images: leave :${tag} away`, 2);
  }
  const repositories = new Set(images.map((image) => `${image.host ?? ""}/${image.repository}`));
  if (repositories.size > 1 && isAllTags) {
    throw new Failure(`the tags of several repositories would mix in ${text}: write ${text}/ to keep them apart`, 2);
  }
  return { host, tag: tag as Tag | undefined, nameOf: () => repository };
}

function prefix(before: string, source: RepositoryName): RepositoryName {
  const name = `${before}${source}`;
  if (isRepositoryName(name)) return name;
  throw new Failure(`'${name}' is no repository: use lower-case letters and digits, separated by . _ - or /`, 2);
}

interface Surroundings {
  readonly endpoints: Endpoints;
  readonly lanes: Lanes;
  readonly tally: Tally;
  readonly options: CopyOptions;
}

/** What to copy, image by image. Lists tags where all are wanted, or those of a pattern, or cosign's. */
async function plan(
  { endpoints, lanes, tally, options }: Surroundings,
  images: readonly (ImageName & { readonly host: string })[],
  destination: Destination,
): Promise<Item[]> {
  const { host } = destination;
  const target = host === undefined ? await endpoints.connectHome() : await endpoints.connect(host, true);
  const transfers = new Map<string, { transfer: Transfer; tags: ReadonlySet<Tag> }>();
  const items: Item[] = [];
  for (const image of images) {
    const repository: Repository = { connection: await endpoints.connect(image.host, false), name: image.repository };
    const to: Repository = { connection: target, name: destination.nameOf(image.repository) };
    const title = titleOf(repository);
    const isList = (options.allTags ?? false) || isPattern(image);
    const known = transfers.get(`${title} ${titleOf(to)}`);
    const tags = known?.tags ?? (isList || options.cosign ? await readTags(repository) : new Set<Tag>());
    const company = { ...options, ...(options.cosign && { cosignTags: tags }) };
    const transfer = known?.transfer ?? new Transfer(sourceOf(repository), to, lanes, company, tally);
    transfers.set(`${title} ${titleOf(to)}`, { transfer, tags });
    const item = (reference: string, tag: Tag | undefined, source: string): Item => {
      const name = tag === undefined ? titleOf(to) : `${titleOf(to)}:${tag}`;
      return { transfer, reference, tags: tag === undefined ? [] : [tag], source, destination: name };
    };
    if (isList) {
      const wanted = [...tags].filter((tag) => image.tag === undefined || matchesTag(image.tag as TagPattern, tag));
      if (wanted.length === 0)
        throw new ImageFailure(`there is no tag in ${formatImageName(image)}: nothing is copied`);
      items.push(...wanted.map((tag) => item(tag, tag, `${title}:${tag}`)));
    } else {
      const tag = image.tag ?? (image.digest === undefined ? "latest" : undefined);
      const reference = image.digest ?? tag ?? "latest";
      items.push(item(reference, destination.tag ?? (tag as Tag | undefined), formatImageName({ ...image, tag })));
    }
  }
  return items;
}

async function readTags(repository: Repository): Promise<ReadonlySet<Tag>> {
  const tags = new Set<Tag>();
  for await (const tag of listTags(repository)) tags.add(tag);
  return tags;
}
