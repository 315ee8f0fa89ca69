import { resolve } from "node:path";
import { inspect } from "node:util";
import { checkAnswer } from "./answer.ts";
import { buildWorker } from "./build.ts";
import { openDataFolder } from "./data.ts";
import { codeOf, Failure, reasonOf } from "./failure.ts";
import { checkAddress } from "./front.ts";
import { type Lock, lockDataFolder } from "./lock.ts";
import { report } from "./logs.ts";
import { applyMigrations } from "./migrations.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { checkVars, type Project, readProject } from "./project.ts";
import { startSchedule } from "./schedule.ts";
import { formatAddress, formatScreen, localAddress, type PasswordSource } from "./screen.ts";
import { ADMIN_PASSWORD, loadSecrets } from "./secrets.ts";
import { LocalServer } from "./server.ts";
import { endWithNpm, onStop } from "./stop.ts";
import { watchProject } from "./watch.ts";

/** Where the admin's password may be given, so that it is in no file. */
const PASSWORD_VARIABLE = "STOWAGE_ADMIN_PASSWORD";

/** Runs the local server of the project in `folder` as the command line asks, until it is stopped. */
export async function main(args: readonly string[], folder: string): Promise<void> {
  ignoreClosedOutput();
  try {
    const options = parseOptions(args);
    if (options.help) process.stdout.write(USAGE);
    else await start(options, readProject(folder));
  } catch (error) {
    report(explain(error));
    process.exit(error instanceof Failure ? error.exitCode : 1);
  }
}

/** A failure and a system error say themselves what happened; anything else is a mistake in here, shown whole. */
function explain(error: unknown): string {
  if (error instanceof Failure || codeOf(error) !== undefined) return reasonOf(error);
  return `unexpected: ${inspect(error)}`;
}

async function start(options: Options, project: Project): Promise<void> {
  checkVars(project, options.vars.keys());
  const data = resolve(options.data);
  openDataFolder(data);
  const lock = await lockDataFolder(data);
  await checkAddress(options.host, options.port);
  const { bindings, password } = readSettings(options, project, data);

  const server = new LocalServer({ project, data, host: options.host, port: options.port, bindings });
  onStop(async () => await close(server, lock));
  endWithNpm();

  const [script] = await Promise.all([buildWorker(project), migrate(server, project)]);
  const port = await server.serve(script);
  await checkAnswer(localAddress(options.host, port));
  lock.announce(`http://${formatAddress(options.host, port)}`);
  startSchedule(project.crons, async (cron, time) => await server.runScheduled(cron, time), report);
  if (options.watch) await watchProject(project, server, script);
  process.stdout.write(formatScreen({ host: options.host, port, data, password }));
}

/** The Worker's variables and secrets; the nearest to the operator wins: flag, environment, then file. */
function readSettings(options: Options, project: Project, data: string) {
  const given = process.env[PASSWORD_VARIABLE] ?? "";
  const fromEnvironment = project.secrets.includes(ADMIN_PASSWORD) && given !== "";
  const overrides = { ...(fromEnvironment && { [ADMIN_PASSWORD]: given }), ...Object.fromEntries(options.vars) };
  const secrets = loadSecrets(
    data,
    project.secrets.filter((name) => !Object.hasOwn(overrides, name)),
  );

  const source = (): PasswordSource | undefined => {
    if (!project.secrets.includes(ADMIN_PASSWORD)) return undefined;
    if (options.vars.has(ADMIN_PASSWORD)) return { kind: "given", by: "--var" };
    if (fromEnvironment) return { kind: "given", by: PASSWORD_VARIABLE };
    const { path } = secrets;
    return secrets.made.has(ADMIN_PASSWORD)
      ? { kind: "made", password: secrets.values[ADMIN_PASSWORD] ?? "", path }
      : { kind: "kept", path };
  };
  return { bindings: { ...project.vars, ...secrets.values, ...overrides }, password: source() };
}

async function migrate(server: LocalServer, project: Project): Promise<void> {
  for (const { binding, migrations } of project.databases) {
    await applyMigrations(await server.database(binding), migrations);
  }
}

async function close(server: LocalServer, lock: Lock): Promise<void> {
  await server.stop();
  lock.release();
}

/** `npm start | head` must not end the server. */
function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (!reasonOf(error).includes("EPIPE")) throw error;
    });
  }
}
