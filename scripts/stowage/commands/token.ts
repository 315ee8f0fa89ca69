import * as v from "valibot";
import { parseActions, parseExpiry } from "../arguments.ts";
import { pathOf } from "../client.ts";
import { example, type Noun, YES } from "../noun.ts";
import type { Session } from "../session.ts";

const TokenSchema = v.looseObject({
  name: v.string(),
  id: v.string(),
  grants: v.array(v.looseObject({ repository: v.string(), actions: v.array(v.string()) })),
  createdAt: v.string(),
  createdBy: v.nullable(v.string()),
  expiresAt: v.nullable(v.string()),
  lastUsedAt: v.nullable(v.string()),
});
const CreatedSchema = v.looseObject({ ...TokenSchema.entries, token: v.string() });

interface CreateOptions {
  readonly repository: readonly string[];
  readonly actions: readonly string[];
  readonly expires: string;
}

/** Machines, which log in with a token. */
export const token: Noun = (program, act) => {
  const noun = program.command("token").description("access tokens, with which machines log in");
  noun
    .command("create")
    .description("create an access token; it is shown once")
    .argument("<name>")
    .requiredOption("--repository <pattern...>", "the repositories it is for, such as 'team/*'")
    .requiredOption("--actions <list>", "what it may do there: pull,push,delete", parseActions)
    .option("--expires <duration>", "when it ends: 12h, 90d, or never", parseExpiry, "90d")
    .addHelpText(
      "after",
      example(
        "stowage token create ci --repository 'team/*' --actions pull,push --expires 90d",
        "stowage token create ci --repository team/web --actions pull > token.txt",
      ),
    )
    .action(act(create));
  noun
    .command("list")
    .description("list the access tokens")
    .addHelpText("after", example("stowage token list"))
    .action(act(list));
  noun
    .command("revoke")
    .description("end an access token")
    .argument("<name>")
    .option(...YES)
    .addHelpText("after", example("stowage token revoke ci"))
    .action(act(revoke));
};

async function create(session: Session, name: string, options: CreateOptions): Promise<void> {
  const client = await session.connect();
  const { repository: repositories, actions, expires } = options;
  const body = { name, repositories, actions, expires };
  const created = await client.change("POST", pathOf("tokens"), CreatedSchema, body);
  session.show(created, (output) => {
    const { expiresAt } = created;
    const end = expiresAt === null ? "it never expires" : `it expires ${output.time(expiresAt)}`;
    const may = `${actions.join(", ")} in ${repositories.join(", ")}`;
    output.secret(created.token, `The access token ${name} may ${may}; ${end}. It is not shown again.`);
    const { host } = client.registry.url;
    output.note(`Log in with it as the password:  docker login ${host} --username ${name}`);
  });
}

async function list(session: Session): Promise<void> {
  const client = await session.connect();
  const tokens = await client.list(pathOf("tokens"), "tokens", TokenSchema);
  session.show({ tokens }, (output) => {
    const rows = tokens.map(({ name, grants, createdAt, expiresAt, lastUsedAt }) => [
      name,
      grants.map(({ repository, actions }) => `${repository} (${actions.join(", ")})`).join(", "),
      { time: createdAt, none: "" },
      { time: expiresAt, none: "never" },
      { time: lastUsedAt, none: "never" },
    ]);
    output.table(["Name", "For", "Created", "Expires", "Last used"], rows, "There are no access tokens.");
  });
}

async function revoke(session: Session, name: string): Promise<void> {
  await session.confirm(`Revoke the access token ${name}?`);
  const client = await session.connect();
  const answer = await client.remove(pathOf("tokens", name));
  session.show(answer, (output) => output.note(`Revoked the access token ${name}.`));
}
