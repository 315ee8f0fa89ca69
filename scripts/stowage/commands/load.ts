import { isTag, type Tag } from "../../../src/oci/reference.ts";
import { explainArchive, findImage } from "../../archive/image.ts";
import { openArchive } from "../../archive/open.ts";
import { type ImageName, parseImageName } from "../../distribution/image-name.ts";
import { titleOf } from "../../distribution/repository.ts";
import { Failure } from "../../local/failure.ts";
import { type Item, transferAll } from "../../transfer/batch.ts";
import { Lanes } from "../../transfer/lanes.ts";
import { emptyTally, Transfer } from "../../transfer/transfer.ts";
import { example, type Noun } from "../noun.ts";
import { showProgress } from "../progress-bars.ts";
import type { Session } from "../session.ts";
import { addTransferOptions, showResults, type TransferOptions } from "../transfer-options.ts";

interface LoadOptions extends TransferOptions {
  readonly image?: string;
}

const FORMATS = `
The archive is what docker save or podman save writes, or an OCI layout, as a tar (plain, gzip or zstd) or a folder; - is stdin.
What is packed, or comes on stdin, takes its unpacked size in TMPDIR meanwhile.
`;

/** Images from archives. */
export const load: Noun = (program, act) => {
  const command = program
    .command("load")
    .description("push an image from an archive, in requests that pass the edge's limit")
    .argument("<file>", "the archive, or - for stdin")
    .argument("<name...>", "what to call it: REPOSITORY:TAG, with a host before it where it is not this registry's")
    .option("--image <name>", "which image, where the archive holds several");
  addTransferOptions(command)
    .addHelpText(
      "after",
      FORMATS +
        example(
          "stowage load app.tar team/app:1.2 team/app:latest",
          "docker save app:1.2 | npx stowage load - team/app:1.2",
          "stowage load ./layout registry.example.org/team/app:1.2",
        ).replace("$ npx docker", "$ docker"),
    )
    .action(act(run));
};

async function run(session: Session, file: string, names: readonly string[], options: LoadOptions): Promise<void> {
  const { dryRun: isDryRun = false, jobs, chunkSize: chunkBytes, plainHttp = [] } = options;
  const targets = names.map(parseTarget);
  const endpoints = await session.endpoints(plainHttp);
  const { progress, stop } = await showProgress(session.environment);
  const tally = emptyTally();
  const opening = openArchive(file, session.environment.stdin);
  const files = await opening.catch((error: unknown) => {
    throw explainArchive(error, file === "-" ? "the archive on stdin" : file);
  });
  try {
    const { source, root, unnamed } = await findImage(files, options.image);
    const lanes = new Lanes({ jobs, isDryRun, chunkBytes, progress, stop: endpoints.stop });
    const items: Item[] = [];
    for (const { host, repository: name, tags } of group(targets)) {
      const connection = host === undefined ? await endpoints.connectHome() : await endpoints.connect(host, true);
      const repository = { connection, name };
      const transfer = new Transfer(source, repository, lanes, { referrers: false }, tally);
      for (const digest of unnamed) await transfer.copy(digest, []);
      const destination = tags.map((tag) => `${titleOf(repository)}:${tag}`).join(", ");
      items.push({ transfer, reference: root, tags, source: files.title, destination });
    }
    const results = await transferAll(items, jobs);
    stop();
    showResults(session, results, tally, isDryRun);
  } finally {
    stop();
    await endpoints.close();
    await files.close();
  }
}

type Target = Pick<ImageName, "host" | "repository"> & { readonly tag: Tag };

function parseTarget(text: string): Target {
  const { host, repository, tag = "latest", digest } = parseImageName(text);
  if (isTag(tag) && digest === undefined) return { host, repository, tag };
  throw new Failure(`'${text}' is no name for an image: give REPOSITORY:TAG`, 2);
}

/** By repository: what goes there is sent once for all its tags. */
function group(targets: readonly Target[]) {
  const groups = Map.groupBy(targets, ({ host, repository }) => `${host ?? ""}/${repository}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ ...first, tags: [...new Set(group.map(({ tag }) => tag))] }] : [];
  });
}
