import { formatAddress, localAddress } from "./address.ts";
import { checkAnswer } from "./answer.ts";
import { buildProject } from "./build.ts";
import type { Lock } from "./lock.ts";
import { applyMigrations } from "./migrations.ts";
import type { Options } from "./options.ts";
import type { Project } from "./project.ts";
import { report } from "./report.ts";
import { startSchedule } from "./schedule.ts";
import { formatScreen } from "./screen.ts";
import { LocalServer } from "./server.ts";
import type { Settings } from "./settings.ts";
import { endWithNpm, onStop } from "./stop.ts";
import { watchProject } from "./watch.ts";

/** All that `serve` needs, checked. */
export interface Plan {
  options: Options;
  project: Project;
  /** The data folder, absolute and locked. */
  data: string;
  lock: Lock;
  settings: Settings;
}

/** Brings the Worker up, tells that it is ready, and leaves it running until a signal. */
export async function serve({ options, project, data, lock, settings }: Plan): Promise<void> {
  const { host, port: wanted, limitBody } = options;
  const server = new LocalServer({ project, data, host, port: wanted, limitBody, bindings: settings.bindings });
  const stopping = onStop(async () => {
    await server.stop();
    lock.release();
  });
  endWithNpm();

  try {
    const [script] = await Promise.all([buildProject(project), migrate(server, project)]);
    const port = await server.serve(script);
    await checkAnswer(localAddress(host, port));
    lock.announce(`http://${formatAddress(host, port)}`);
    const runScheduled = async (cron: string, time: Date) => await server.runScheduled(cron, time);
    startSchedule(project.crons, runScheduled, { onError: report, signal: stopping });
    if (options.watch) await watchProject(project, server, script);
    process.stdout.write(formatScreen({ host, port, data, password: settings.password }));
  } catch (error) {
    // Stopped on the way up, what fails does so for that.
    if (!stopping.aborted) throw error;
  }
}

async function migrate(server: LocalServer, project: Project): Promise<void> {
  for (const { binding, migrations } of project.databases) {
    await applyMigrations(await server.database(binding), migrations);
  }
}
