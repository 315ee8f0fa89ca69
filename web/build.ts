import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { build, type BuildOptions, type Metafile, stop } from "esbuild";

/** Entry points by the name that the template calls them. */
const ENTRIES = {
  main: "main.tsx",
  theme: "theme.ts",
  style: "styles/main.css",
  worker: "image/layer/worker.ts",
} as const;

const SOURCE = import.meta.dirname;

/** Where the page is built, and served from: `directory` of `[assets]` in wrangler.toml. */
export const WEB_DIST = join(SOURCE, "dist");

/** Files that are served as they are. */
const PUBLIC = join(SOURCE, "public");

/** What esbuild makes of the page: scripts and styles whose names say what is in them, so that they can be kept for ever. */
export function webBuildOptions(outdir: string): BuildOptions & { readonly metafile: true } {
  return {
    entryPoints: Object.entries(ENTRIES).map(([out, file]) => ({ out, in: join(SOURCE, file) })),
    outdir,
    absWorkingDir: resolve(SOURCE, ".."),
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    entryNames: "assets/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "silent",
  };
}

/**
 * Builds the page into a folder. Others may build there, or serve from there, at the same time: a file is put in place whole, the
 * page after what it names, and what is no longer named goes last.
 */
export async function buildWeb(outdir = WEB_DIST): Promise<void> {
  const result = await build(webBuildOptions(outdir));
  await writePage(outdir, result.outputFiles ?? [], result.metafile);
}

interface OutputFile {
  readonly path: string;
  readonly contents: Uint8Array;
}

/** Writes what esbuild made, the page that names it, and the public files. */
async function writePage(outdir: string, outputs: readonly OutputFile[], metafile: Metafile): Promise<void> {
  await mkdir(join(outdir, "assets"), { recursive: true });
  await Promise.all(outputs.map(async ({ path, contents }) => await putFile(path, contents)));
  const names = await readdir(PUBLIC);
  await Promise.all(names.map(async (name) => await putFile(join(outdir, name), await readFile(join(PUBLIC, name)))));
  await putFile(join(outdir, "index.html"), await renderTemplate(outdir, metafile));
  const current = new Set(outputs.map(({ path }) => basename(path)));
  const stale = (await readdir(join(outdir, "assets"))).filter((name) => !current.has(name) && !name.endsWith(".new"));
  await Promise.all(stale.map(async (name) => await rm(join(outdir, "assets", name), { force: true })));
}

/** A file that is there is whole. */
async function putFile(path: string, contents: Uint8Array | string): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  await writeFile(draft, contents);
  await rename(draft, path);
}

/** The page: `{{name}}` in the template is the address of that entry point, `{{preload}}` what the script needs at once. */
async function renderTemplate(outdir: string, { outputs }: Metafile): Promise<string> {
  const root = resolve(SOURCE, "..");
  const addressOf = (path: string) => `/${relative(outdir, join(root, path))}`;
  const addresses = new Map<string, string>();
  let preloads: string[] = [];
  for (const [path, { entryPoint, imports }] of Object.entries(outputs)) {
    const name = Object.entries(ENTRIES).find(([, file]) => entryPoint === join("web", file))?.[0];
    if (name === undefined) continue;
    addresses.set(name, addressOf(path));
    if (name === "main") preloads = [...neededBy(imports, outputs)].map(addressOf);
  }
  const links = preloads.map((address) => `<link rel="modulepreload" href="${address}" />`).join("\n    ");
  const template = await readFile(join(SOURCE, "index.html"), "utf8");
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    if (name === "preload") return links;
    const address = addresses.get(name);
    if (address === undefined) throw new Error(`web/index.html names ${name}, which is no entry point`);
    return address;
  });
}

type Import = Metafile["outputs"][string]["imports"][number];

/** Chunks that a script imports, and those that these import. */
function neededBy(imports: readonly Import[], outputs: Metafile["outputs"], found = new Set<string>()): Set<string> {
  for (const { path, kind } of imports) {
    if (kind !== "import-statement" || found.has(path)) continue;
    found.add(path);
    neededBy(outputs[path]?.imports ?? [], outputs, found);
  }
  return found;
}

if (import.meta.main) {
  await buildWeb();
  await stop();
}
