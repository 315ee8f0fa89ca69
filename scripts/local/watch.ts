import { readdirSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { buildPage, watchWorker } from "./build.ts";
import { reasonOf } from "./failure.ts";
import { applyMigrations } from "./migrations.ts";
import type { Project } from "./project.ts";
import { report } from "./report.ts";
import type { LocalServer } from "./server.ts";

/** Editors write a file in several steps. */
const SETTLE_MS = 100;

/** Loads the Worker, and the page, again when their source changes, and applies new migrations; problems are told and the old goes on. */
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

  watchSettled(sourcesOfPage(project), () => {
    enqueue(async () => {
      await buildPage(project);
      // Its files are listed as the runtime starts.
      await server.serve(current);
      report("loaded the changed page");
    });
  });

  for (const { binding, migrations } of project.databases) {
    watchSettled([migrations], () => {
      enqueue(async () => {
        const applied = await applyMigrations(await server.database(binding), migrations);
        for (const name of applied) report(`applied the migration ${name}`);
      });
    });
  }
}

/** Calls back when files in the folders have changed, and none has for a moment. */
function watchSettled(folders: readonly string[], onChange: () => void): void {
  let timer: NodeJS.Timeout | undefined;
  for (const folder of folders) {
    watch(folder, () => {
      clearTimeout(timer);
      timer = setTimeout(onChange, SETTLE_MS);
    });
  }
}

/** The folders of the page's source: that in which its files are built, and all in there but these. */
function sourcesOfPage({ assets }: Project): string[] {
  if (!assets) return [];
  const source = dirname(assets.directory);
  const entries = readdirSync(source, { withFileTypes: true, recursive: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  return [source, ...folders.filter((folder) => !folder.startsWith(assets.directory))];
}
