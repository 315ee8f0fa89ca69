import * as v from "valibot";
import { parseActions } from "../arguments.ts";
import { pathOf, withQuery } from "../client.ts";
import { example, type Noun, YES } from "../noun.ts";
import type { Output } from "../output.ts";
import type { Session } from "../session.ts";

const GRANT = { subject: v.string(), repository: v.string(), actions: v.array(v.string()) };
const RuleSchema = v.looseObject({ ...GRANT, createdAt: v.string(), createdBy: v.nullable(v.string()) });
const CheckSchema = v.looseObject({
  ...GRANT,
  rules: v.array(v.looseObject(GRANT)),
  trust: v.optional(v.array(v.looseObject({ repository: v.string(), actions: v.array(v.string()) }))),
});

type Rule = v.InferOutput<typeof RuleSchema>;

const SUBJECTS = `
A SUBJECT is anyone, account:NAME, token:NAME, or oidc:NAME, the name of a trust rule.
A PATTERN is a repository name in which * stands for part of one segment (team/*, app-*), and /** at the end for all
below (team/**); ** alone is every repository.
`;

/** Rules that grant; there are none that deny. */
export const policy: Noun = (program, act) => {
  const noun = program.command("policy").description("who may do what: rules that grant");
  noun.addHelpText("after", SUBJECTS);
  noun
    .command("grant")
    .description("let a subject do something with the repositories of a pattern")
    .argument("<pattern>")
    .requiredOption("--to <subject>", "who")
    .requiredOption("--actions <list>", "what: pull,push,delete; added to what was granted before", parseActions)
    .addHelpText("after", SUBJECTS + example("stowage policy grant 'team/*' --to account:alice --actions pull,push"))
    .action(act(grant));
  noun
    .command("revoke")
    .description("take back what was granted for a pattern")
    .argument("<pattern>")
    .requiredOption("--from <subject>", "from whom")
    .option("--actions <list>", "what: pull,push,delete; without it, all", parseActions)
    .option(...YES)
    .addHelpText("after", SUBJECTS + example("stowage policy revoke 'team/*' --from account:alice --actions push"))
    .action(act(revoke));
  noun
    .command("list")
    .description("list the rules")
    .option("--subject <subject>", "only those of a subject")
    .option("--repository <name>", "only those that hold for a repository")
    .addHelpText("after", SUBJECTS + example("stowage policy list --repository team/web"))
    .action(act(list));
  noun
    .command("check")
    .description("tell what a subject may do with a repository, and by which rules")
    .argument("<subject>")
    .argument("<repository>")
    .addHelpText("after", SUBJECTS + example("stowage policy check account:alice team/web"))
    .action(act(check));
};

async function grant(
  session: Session,
  repository: string,
  { to: subject, actions }: { readonly to: string; readonly actions: readonly string[] },
): Promise<void> {
  const client = await session.connect();
  const body = { subject, repository, actions };
  const rule = await client.change("POST", pathOf("policy", "rules"), RuleSchema, body);
  session.show(rule, (output) => noteRule(output, rule));
}

async function revoke(
  session: Session,
  repository: string,
  { from: subject, actions }: { readonly from: string; readonly actions?: readonly string[] },
): Promise<void> {
  const list = actions?.join(",");
  await session.confirm(`Take ${actions?.join(", ") ?? "all"} in ${repository} from ${subject}?`);
  const client = await session.connect();
  const path = withQuery(pathOf("policy", "rules"), { subject, repository, actions: list });
  const left = await client.change("DELETE", path, v.nullable(RuleSchema));
  session.show(left, (output) => {
    if (left === null) output.note(`Revoked: no rule grants ${subject} anything for ${repository} any more.`);
    else noteRule(output, left);
  });
}

function noteRule(output: Output, { subject, repository, actions }: Rule): void {
  output.note(`${subject} may now ${actions.join(", ")} in ${repository}.`);
}

async function list(
  session: Session,
  { subject, repository }: { readonly subject?: string; readonly repository?: string },
): Promise<void> {
  const client = await session.connect();
  const rules = await client.list(withQuery(pathOf("policy", "rules"), { subject, repository }), "rules", RuleSchema);
  session.show({ rules }, (output) => {
    const rows = rules.map((rule) => [
      rule.subject,
      rule.repository,
      rule.actions.join(", "),
      { time: rule.createdAt, none: "" },
      rule.createdBy ?? "",
    ]);
    output.table(["Subject", "Repositories", "May", "Since", "By"], rows, "There are no such rules.");
  });
}

async function check(session: Session, subject: string, repository: string): Promise<void> {
  const client = await session.connect();
  const verdict = await client.get(withQuery(pathOf("policy", "check"), { subject, repository }), CheckSchema);
  session.show(verdict, (output) => {
    const because = verdict.rules.map((rule) => `${rule.subject} for ${rule.repository} (${rule.actions.join(", ")})`);
    const trusted = verdict.trust?.map(({ repository: pattern, actions }) => `${pattern} (${actions.join(", ")})`);
    const may = verdict.actions.join(", ") || "nothing";
    output.fields([
      ["Subject", verdict.subject],
      ["Repository", verdict.repository],
      ["May", may],
      ["By", because.join("; ") || "no rule"],
      // Where a pattern has a ${claim}, it depends on that.
      ...(trusted ? [["By trust for", trusted.join("; ") || "nothing here"] as const] : []),
    ]);
  });
}
