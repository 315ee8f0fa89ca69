/**
 * Checks what `npm run build:web` and `wrangler deploy --dry-run` have made: `npm run check:deploy`. Bundle and page keep their budgets,
 * and the bundle starts: it is minified, and no other test runs it so.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Miniflare } from "miniflare";
import * as v from "valibot";
import { readProject } from "./local/project.ts";

const ROOT = join(import.meta.dirname, "..");
const FOLDER = join(ROOT, ".cache/deploy");

/** Before compression. Each start of an isolate parses it. */
const BUDGET_BYTES = 385_000;

/** Of the page, compressed: what a browser loads before it shows the first thing. */
const PAGE_BUDGET_BYTES = 50_000;

const MetafileSchema = v.object({
  outputs: v.record(v.string(), v.object({ inputs: v.record(v.string(), v.object({ bytesInOutput: v.number() })) })),
});

/** A dependency, or a room of src: what takes the bundle's bytes, the most first. */
function listParts(): [name: string, bytes: number][] {
  const metafile = v.parse(MetafileSchema, JSON.parse(readFileSync(join(FOLDER, "meta.json"), "utf8")));
  const sums = new Map<string, number>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path.split("/").slice(0, 2).join("/");
      sums.set(name, (sums.get(name) ?? 0) + bytesInOutput);
    }
  }
  return [...sums].sort(([, one], [, other]) => other - one);
}

/** The status with which the bundle refuses someone without credentials. */
async function answerOf(script: string): Promise<number> {
  const { compatibilityDate, vars, secrets, buckets, databases } = readProject(ROOT);
  const runtime = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents: script }],
    modulesRoot: ".",
    compatibilityDate,
    bindings: { ...vars, ...Object.fromEntries(secrets.map((name) => [name, "a secret of more than 32 characters"])) },
    r2Buckets: buckets,
    d1Databases: Object.fromEntries(databases.map(({ binding, id }) => [binding, id])),
    cf: false,
  });
  try {
    const { status } = await runtime.dispatchFetch("http://registry.example/v2/");
    return status;
  } finally {
    await runtime.dispose();
  }
}

/** What the page names, compressed, and the page. */
function firstLoadBytes(): number {
  const folder = join(ROOT, "web/dist");
  const page = readFileSync(join(folder, "index.html"), "utf8");
  const files = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, file = ""]) => file);
  return ["index.html", ...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).byteLength, 0);
}

const script = readFileSync(join(FOLDER, "worker.js"), "utf8");
const bytes = Buffer.byteLength(script);
const kilobytes = (size: number) => `${(size / 1_000).toFixed(1)} kB`;
process.stdout.write(`Bundle: ${kilobytes(bytes)}, ${kilobytes(gzipSync(script).byteLength)} compressed\n`);
if (bytes > BUDGET_BYTES) {
  const parts = listParts().map(([name, size]) => `  ${kilobytes(size).padStart(9)}  ${name}\n`);
  process.stderr.write(`That is more than ${kilobytes(BUDGET_BYTES)}:\n${parts.slice(0, 15).join("")}`);
  process.exitCode = 1;
}
const firstLoad = firstLoadBytes();
process.stdout.write(`Page: ${kilobytes(firstLoad)} compressed at first\n`);
if (firstLoad > PAGE_BUDGET_BYTES) {
  process.stderr.write(
    `That is more than ${kilobytes(PAGE_BUDGET_BYTES)}: load what is not seen at once when it is asked for.\n`,
  );
  process.exitCode = 1;
}
const status = await answerOf(script);
if (status !== 401) {
  process.stderr.write(`The bundle does not work: it answers ${status} where it should ask for credentials.\n`);
  process.exitCode = 1;
}
