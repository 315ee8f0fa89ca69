import { readFileSync } from "node:fs";
import * as v from "valibot";
import { reasonOf, Failure } from "../../local/failure.ts";
import { collectPair, parseActions } from "../arguments.ts";
import { pathOf } from "../client.ts";
import { example, type Noun, YES } from "../noun.ts";
import type { Session } from "../session.ts";

const TrustSchema = v.looseObject({
  name: v.string(),
  issuer: v.string(),
  audience: v.string(),
  claims: v.record(v.string(), v.string()),
  repositories: v.array(v.string()),
  actions: v.array(v.string()),
  hasKeys: v.boolean(),
  createdAt: v.string(),
  createdBy: v.nullable(v.string()),
});
const KeysSchema = v.looseObject({ keys: v.array(v.looseObject({})) });

/** Issuers that have a short name. */
const ISSUERS: Readonly<Record<string, string>> = {
  github: "https://token.actions.githubusercontent.com",
  gitlab: "https://gitlab.com",
};

interface AddOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly claim: Readonly<Record<string, string>>;
  readonly repository: readonly string[];
  readonly actions: readonly string[];
  readonly jwks?: string;
}

/** Jobs of other systems, which log in with an OpenID Connect token of their own and need no secret. */
export const trust: Noun = (program, act) => {
  const noun = program.command("trust").description("jobs that log in with an OpenID Connect token of their issuer");
  noun
    .command("add")
    .description("trust the tokens of an issuer that make certain claims")
    .argument("<name>")
    .requiredOption("--issuer <url>", "who signs the tokens: a URL, github or gitlab")
    .requiredOption("--audience <text>", "whom the tokens are for: what the job asks them to name")
    .requiredOption("--claim <name=pattern...>", "what they must say, such as ref=refs/heads/*", collectPair)
    .requiredOption("--repository <template...>", "the repositories they are for, such as 'ghcr/${repository}'")
    .requiredOption("--actions <list>", "what they may do there: pull,push,delete", parseActions)
    .option("--jwks <file>", "the issuer's keys, where the registry cannot fetch them")
    .addHelpText(
      "after",
      example(
        "stowage trust add main --issuer github --audience registry.example.org --claim repository=acme/web \\\n" +
          "      'ref=refs/heads/*' --repository 'acme/web' --actions pull,push",
      ),
    )
    .action(act(add));
  noun
    .command("list")
    .description("list the trust rules")
    .addHelpText("after", example("stowage trust list"))
    .action(act(list));
  noun
    .command("remove")
    .description("trust an issuer's tokens no more")
    .argument("<name>")
    .option(...YES)
    .addHelpText("after", example("stowage trust remove main"))
    .action(act(remove));
};

async function add(session: Session, name: string, options: AddOptions): Promise<void> {
  const { audience, claim: claims, repository: repositories, actions, jwks } = options;
  const issuer = ISSUERS[options.issuer] ?? options.issuer;
  const keys = jwks === undefined ? {} : { keys: readKeys(jwks) };
  const client = await session.connect();
  const body = { name, issuer, audience, claims, repositories, actions, ...keys };
  const rule = await client.change("POST", pathOf("trust"), TrustSchema, body);
  session.show(rule, (output) => {
    output.note(`Added the trust rule ${name}: its jobs may ${rule.actions.join(", ")} in ${repositories.join(", ")}.`);
    const { host } = client.registry.url;
    output.note(`They log in with their token as the password:  docker login ${host} --username oidc --password-stdin`);
  });
}

function readKeys(file: string): v.InferOutput<typeof KeysSchema> {
  try {
    return v.parse(KeysSchema, JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new Failure(`--jwks ${file} is not a JSON Web Key Set that can be read: ${reasonOf(error)}`, 2);
  }
}

async function list(session: Session): Promise<void> {
  const client = await session.connect();
  const rules = await client.list(pathOf("trust"), "rules", TrustSchema);
  session.show({ rules }, (output) => {
    const rows = rules.map((rule) => [
      rule.name,
      rule.issuer,
      Object.entries(rule.claims)
        .map(([claim, pattern]) => `${claim}=${pattern}`)
        .join(", "),
      rule.repositories.join(", "),
      rule.actions.join(", "),
      { time: rule.createdAt, none: "" },
    ]);
    output.table(["Name", "Issuer", "Claims", "Repositories", "May", "Since"], rows, "There are no trust rules.");
  });
}

async function remove(session: Session, name: string): Promise<void> {
  await session.confirm(`Remove the trust rule ${name}?`);
  const client = await session.connect();
  const answer = await client.remove(pathOf("trust", name));
  session.show(answer, (output) => output.note(`Removed the trust rule ${name}.`));
}
