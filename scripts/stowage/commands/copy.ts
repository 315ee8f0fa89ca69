import type { Platform } from "../../../src/oci/platform.ts";
import { Failure } from "../../local/failure.ts";
import { transferAll } from "../../transfer/batch.ts";
import { Lanes } from "../../transfer/lanes.ts";
import { emptyTally } from "../../transfer/transfer.ts";
import { parsePlatformOption } from "../arguments.ts";
import { type CopyChoices, CopyPlan, parseDestination, parseWanted } from "../copy-plan.ts";
import { example, type Noun } from "../noun.ts";
import { showProgress } from "../progress-bars.ts";
import type { Session } from "../session.ts";
import { addTransferOptions, showResults, type TransferOptions } from "../transfer-options.ts";

type CopyOptions = TransferOptions & CopyChoices & { readonly platform?: Platform };

const NAMES = `
An image is named as docker names it: nginx is docker.io/library/nginx:latest. The last name says where to: a repository, with
a tag or without, of any registry, or of this one where it has no host; or, with / at its end, what comes before the names
that the repositories have. HOST/ alone, with --all-tags, is all that a registry lists. Credentials are those of docker login, for each host its own.
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
          "stowage copy --all-tags old.example.org/ registry.example.org/",
        ),
    )
    .action(act(run));
};

async function run(session: Session, names: readonly string[], options: CopyOptions): Promise<void> {
  const { dryRun: isDryRun = false, jobs, chunkSize: chunkBytes, plainHttp = [] } = options;
  const [target, ...wanted] = [...names].reverse();
  if (target === undefined || wanted.length === 0) throw new Failure("say what to copy, and then where to", 2);
  const sources = wanted.reverse().map((text) => parseWanted(text, options));
  const destination = parseDestination(target, sources, options.allTags ?? false);
  const endpoints = await session.endpoints(plainHttp);
  const { progress, stop } = await showProgress(session.environment);
  const tally = emptyTally();
  try {
    const lanes = new Lanes({ jobs, isDryRun, chunkBytes, progress, stop: endpoints.stop });
    const items = await new CopyPlan({ endpoints, lanes, tally }, options, sources, destination).items();
    const results = await transferAll(items, jobs);
    stop();
    showResults(session, results, tally, isDryRun);
  } finally {
    stop();
    await endpoints.close();
  }
}
