import { watch } from "node:fs";
import { watchWorker } from "./build.ts";
import { reasonOf } from "./failure.ts";
import { applyMigrations } from "./migrations.ts";
import type { Project } from "./project.ts";
import { report } from "./report.ts";
import type { LocalServer } from "./server.ts";

/** Editors write a file in several steps. */
const SETTLE_MS = 100;

/** Loads the Worker again when its source changes, and applies new migrations; problems are told and the old one goes on. */
export async function watchProject(project: Project, server: LocalServer, script: string): Promise<void> {
  let current = script;
  let queue = Promise.resolve();
  const enqueue = (step: () => Promise<void>) => {
    queue = queue.then(step).catch((error: unknown) => report(reasonOf(error)));
  };

  const onBuilt = (built: string) => {
    enqueue(async () => {
      if (built === current) return;
      try {
        await server.serve(built);
      } catch (error) {
        await server.serve(current);
        throw error;
      }
      current = built;
      report("loaded the changed Worker");
    });
  };
  await watchWorker(project, onBuilt, report);

  for (const { binding, migrations } of project.databases) {
    let timer: NodeJS.Timeout | undefined;
    watch(migrations, () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        enqueue(async () => {
          const applied = await applyMigrations(await server.database(binding), migrations);
          for (const name of applied) report(`applied the migration ${name}`);
        });
      }, SETTLE_MS);
    });
  }
}
