import { type BuildFailure, type BuildOptions, type BuildResult, build, context, type Message, stop } from "esbuild";
import { buildWeb } from "../../web/build.ts";
import { Failure } from "./failure.ts";
import type { Project } from "./project.ts";

/** Builds the Worker, whose script it gives, and the files of the page into where they are served from. Throws a `Failure`. */
export async function buildProject(project: Project): Promise<string> {
  const [script] = await Promise.all([buildWorker(project), buildPage(project)]);
  // Its service is a process of 50 MB, which would stay as long as the server does.
  await stop();
  return script;
}

/**
 * Bundles the Worker as wrangler does, but for minification: it has no way to go from here, and stack traces are read as they
 * are.
 */
export async function buildWorker(project: Project): Promise<string> {
  return scriptOf(await explained("the Worker", build(buildOptions(project))));
}

/** Builds the files of the page, where the project has any. */
export async function buildPage({ assets }: Project): Promise<void> {
  if (assets) await explained("the page", buildWeb(assets.directory));
}

/** A source that does not build is a `Failure` that names the place. */
async function explained<T>(what: string, building: Promise<T>): Promise<T> {
  try {
    return await building;
  } catch (error) {
    const [first] = isBuildFailure(error) ? error.errors : [];
    if (first === undefined) throw error;
    throw new Failure(`cannot build ${what}: ${describe(first)}`);
  }
}

/** Builds the Worker again at each change of its source, until `close`. The first build is reported as well. */
export async function watchWorker(
  project: Project,
  onBuilt: (script: string) => void,
  onError: (problem: string) => void,
): Promise<{ close: () => Promise<void> }> {
  const watcher = await context({
    ...buildOptions(project),
    plugins: [
      {
        name: "report",
        setup: (plugin) => {
          plugin.onEnd((result) => {
            const [first] = result.errors;
            if (first === undefined) onBuilt(scriptOf(result));
            else onError(`cannot build the Worker: ${describe(first)}`);
          });
        },
      },
    ],
  });
  await watcher.watch();
  return { close: async () => await watcher.dispose() };
}

function buildOptions(project: Project) {
  return {
    entryPoints: [project.main],
    absWorkingDir: project.folder,
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    loader: { ".txt": "text", ".html": "text", ".sql": "text", ".bin": "binary" },
    // Lines and names for stack traces; the sources themselves are here, and would be most of the script.
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "silent",
  } satisfies BuildOptions;
}

function scriptOf(result: BuildResult): string {
  const [output] = result.outputFiles ?? [];
  if (output === undefined) throw new Error("esbuild reported success without output");
  return output.text;
}

function describe({ text, location }: Message): string {
  if (location === null) return text;
  return `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}
