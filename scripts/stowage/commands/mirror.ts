import * as v from "valibot";
import { Failure } from "../../local/failure.ts";
import { type Client, pathOf, withQuery } from "../client.ts";
import { example, type Noun } from "../noun.ts";
import type { Output } from "../output.ts";
import type { Session } from "../session.ts";
import { formatSize } from "../text.ts";

const LIMIT = { limit: v.number(), remaining: v.number(), window: v.nullable(v.number()) };

const UpstreamSchema = v.looseObject({
  ...{ name: v.string(), url: v.string(), anonymous: v.boolean() },
  root: v.union([v.boolean(), v.array(v.string())]),
  mirrored: v.looseObject({ repositories: v.number(), bytes: v.number() }),
  ...{ answeredAt: v.nullable(v.string()), failedAt: v.nullable(v.string()), failure: v.nullable(v.string()) },
  rateLimit: v.nullable(v.looseObject({ ...LIMIT, seenAt: v.string() })),
});
const CheckSchema = v.looseObject({
  ...{ name: v.string(), ok: v.boolean(), message: v.string(), milliseconds: v.number() },
  digest: v.nullable(v.string()),
  rateLimit: v.nullable(v.looseObject(LIMIT)),
});

type Upstream = v.InferOutput<typeof UpstreamSchema>;
type Check = v.InferOutput<typeof CheckSchema>;

/** Other registries, whose images are pulled here. */
export const mirror: Noun = (program, act) => {
  const noun = program.command("mirror").description("the registries that this one mirrors");
  noun
    .command("list")
    .description("list the upstreams of the setting UPSTREAMS, what they last said, and what is here of them")
    .addHelpText("after", example("stowage mirror list"))
    .action(act(list));
  noun
    .command("check")
    .description("ask an upstream now, or each of them; fails where one is out of order")
    .argument("[name]")
    .option("--image <image>", "an image that it should have, by its name there; to ask for it costs no pull")
    .addHelpText(
      "after",
      example("stowage mirror check", "stowage mirror check docker.io --image library/nginx:latest"),
    )
    .action(act(check));
};

const listAll = async (client: Client): Promise<Upstream[]> =>
  await client.list(pathOf("mirror"), "upstreams", UpstreamSchema);

async function list(session: Session): Promise<void> {
  const upstreams = await listAll(await session.connect());
  session.show({ upstreams }, (output) => {
    const rows = upstreams.map((upstream) => [
      ...[upstream.name, upstream.url, upstream.anonymous ? "anyone" : "whom a rule allows it", describeRoot(upstream)],
      describeMirrored(upstream),
      { time: upstream.answeredAt, none: "never" },
      describeLimit(upstream.rateLimit),
      describeTrouble(upstream, output),
    ]);
    const head = ["Upstream", "Address", "For", "Root", "Here", "Answered", "Pulls left", "Trouble"];
    output.table(head, rows, "This registry mirrors no other: set UPSTREAMS.");
  });
}

function describeMirrored({ mirrored: { repositories, bytes } }: Upstream): string {
  return `${repositories} ${repositories === 1 ? "repository" : "repositories"}, ${formatSize(bytes)}`;
}

function describeRoot({ root }: Upstream): string {
  if (typeof root === "boolean") return root ? "yes" : "no";
  return root.join(", ");
}

function describeLimit(rateLimit: Check["rateLimit"]): string {
  return rateLimit === null ? "" : `${rateLimit.remaining} of ${rateLimit.limit}`;
}

/** What an upstream failed at, unless it has answered since. */
function describeTrouble({ failedAt, failure, answeredAt }: Upstream, output: Output): string {
  if (failedAt === null || failure === null) return "";
  const isOver = answeredAt !== null && Date.parse(answeredAt) > Date.parse(failedAt);
  return isOver ? "" : `${failure} (${output.time(failedAt)})`;
}

async function check(
  session: Session,
  name: string | undefined,
  { image }: { readonly image?: string },
): Promise<void> {
  if (name === undefined && image !== undefined) throw new Failure("name the upstream that --image is of", 2);
  const client = await session.connect();
  const checks = await session.output.progress(async (tell) => {
    const names = name === undefined ? (await listAll(client)).map((upstream) => upstream.name) : [name];
    const answers: Check[] = [];
    for (const one of names) {
      tell(`Asking ${one}…`);
      const path = withQuery(pathOf("mirror", one, "check"), { image });
      answers.push(await client.change("POST", path, CheckSchema));
    }
    return answers;
  });
  session.show(name === undefined ? { checks } : checks[0], (output) => showChecks(output, checks));
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length > 0) throw new Failure(failed.map(({ message }) => message).join("; "));
}

function showChecks(output: Output, checks: readonly Check[]): void {
  const rows = checks.map(({ name, ok, message, milliseconds, digest, rateLimit }) => [
    ...[name, ok ? "ok" : "failed", `${milliseconds} ms`, message, digest ?? "", describeLimit(rateLimit)],
  ]);
  const head = ["Upstream", "", "Took", "What it said", "Digest", "Pulls left"];
  output.table(head, rows, "This registry mirrors no other: set UPSTREAMS.");
}
