import { resolve } from "node:path";
import { ignoreClosedOutput } from "./closed-output.ts";
import { openDataFolder } from "./data.ts";
import { explain, Failure } from "./failure.ts";
import { checkAddress } from "./listen.ts";
import { lockDataFolder } from "./lock.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { checkVars, type Project, readProject } from "./project.ts";
import { report } from "./report.ts";
import { readSettings } from "./settings.ts";

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

/** What can be refused is refused before the runtime, half a second of work, is even loaded. */
async function start(options: Options, project: Project): Promise<void> {
  checkVars(project, options.vars.keys());
  const data = resolve(options.data);
  openDataFolder(data);
  const lock = await lockDataFolder(data);
  await checkAddress(options.host, options.port);
  const settings = readSettings(options, project, data);
  const { serve } = await import("./serve.ts");
  await serve({ options, project, data, lock, settings });
}
