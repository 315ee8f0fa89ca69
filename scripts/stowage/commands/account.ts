import * as v from "valibot";
import { Failure } from "../../local/failure.ts";
import { pathOf } from "../client.ts";
import type { Credentials } from "../credentials.ts";
import { canAsk } from "../environment.ts";
import { Refusal } from "../http.ts";
import { example, type Noun, YES } from "../noun.ts";
import { askForPassword, readPassword } from "../prompt.ts";
import type { Session } from "../session.ts";

const AccountSchema = v.looseObject({
  name: v.string(),
  role: v.string(),
  createdAt: v.string(),
  createdBy: v.nullable(v.string()),
});
/** A password is in an answer only if the registry made it. */
const PASSWORD = { password: v.optional(v.string()) };
const AddedSchema = v.looseObject({ ...AccountSchema.entries, ...PASSWORD });
const ChangedSchema = v.looseObject({ name: v.string(), ...PASSWORD });

const PASSWORD_STDIN = ["--password-stdin", "read the password from stdin"] as const;

interface AddOptions {
  readonly admin?: boolean;
  readonly passwordStdin?: boolean;
}

/** People, who log in with a password. */
export const account: Noun = (program, act) => {
  const noun = program.command("account").description("people, who log in with a password");
  noun
    .command("add")
    .description("add an account")
    .argument("<name>")
    .option("--admin", "who may do everything")
    .option(...PASSWORD_STDIN)
    .addHelpText("after", example("stowage account add alice", "stowage account add bob --password-stdin < bob.txt"))
    .action(act(add));
  noun
    .command("list")
    .description("list the accounts")
    .addHelpText("after", example("stowage account list"))
    .action(act(list));
  noun
    .command("remove")
    .description("remove an account")
    .argument("<name>")
    .option(...YES)
    .addHelpText("after", example("stowage account remove alice"))
    .action(act(remove));
  noun
    .command("password")
    .description("give an account a new password")
    .argument("<name>")
    .option(...PASSWORD_STDIN)
    .addHelpText("after", example("stowage account password alice"))
    .action(act(changePassword));
};

async function add(session: Session, name: string, options: AddOptions): Promise<void> {
  const password = await readPassword(options, session.environment);
  const client = await session.connect();
  const role = options.admin === true ? "admin" : "member";
  const body = { name, role, ...(password !== undefined && { password }) };
  const added = await client.change("POST", pathOf("accounts"), AddedSchema, body);
  session.show(added, (output) => {
    if (added.password === undefined) output.note(`Added the account ${name}.`);
    else output.secret(added.password, `The password of the new account ${name}; it is not shown again.`);
    if (role === "admin") output.note("It may do everything.");
    else output.note(`It may do what you grant it:  ${grantLine(name)}`);
  });
}

function grantLine(name: string): string {
  return `npx stowage policy grant 'team/*' --to account:${name} --actions pull,push`;
}

async function list(session: Session): Promise<void> {
  const client = await session.connect();
  const accounts = await client.list(pathOf("accounts"), "accounts", AccountSchema);
  session.show({ accounts }, (output) => {
    const rows = accounts.map(({ name, role, createdAt, createdBy }) => [
      name,
      role,
      { time: createdAt, none: "" },
      createdBy ?? "",
    ]);
    output.table(["Name", "Role", "Created", "By"], rows, "There are no accounts but admin.");
  });
}

async function remove(session: Session, name: string): Promise<void> {
  await session.confirm(`Remove the account ${name}?`);
  const client = await session.connect();
  const answer = await client.remove(pathOf("accounts", name));
  session.show(answer, (output) => output.note(`Removed the account ${name}.`));
}

async function changePassword(session: Session, name: string, options: AddOptions): Promise<void> {
  const password = await readPassword(options, session.environment);
  const client = await session.connect();
  const change = async (currentPassword: string | undefined) => {
    const body = {
      ...(password !== undefined && { password }),
      ...(currentPassword !== undefined && { currentPassword }),
    };
    return await client.change("PUT", pathOf("accounts", name, "password"), ChangedSchema, body);
  };
  let changed;
  try {
    changed = await change(passwordOf(name, client.credentials));
  } catch (error) {
    if (!isForCurrentPassword(error)) throw error;
    changed = await change(await askForCurrentPassword(name, session));
  }
  session.show(changed, (output) => {
    if (changed.password === undefined) output.note(`The account ${name} has its new password.`);
    else output.secret(changed.password, `The new password of the account ${name}; it is not shown again.`);
  });
}

/** The account's password, if it is the one that the caller logged in with. */
function passwordOf(name: string, credentials: Credentials): string | undefined {
  return credentials.kind === "password" && credentials.username === name ? credentials.password : undefined;
}

/** An admin needs none; who is not one, only the registry knows. */
function isForCurrentPassword(error: unknown): boolean {
  return error instanceof Refusal && error.code === "DENIED" && error.message.includes("currentPassword");
}

async function askForCurrentPassword(name: string, { environment }: Session): Promise<string> {
  if (canAsk(environment)) return await askForPassword(name, environment);
  throw new Failure(
    `${name} must give the password until now to change it: set STOWAGE_USERNAME=${name} and STOWAGE_PASSWORD to it, or ` +
      "change it on a terminal",
  );
}
