/**
 * Real clients push, pull and delete, and the collection runs every second with a grace of seconds, for
 * SOAK_MINUTES (10): `npm run soak`. No push and no pull may fail, and in the end nothing unreferenced is left.
 */
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type LayerKind, writeImageLayout } from "../support/images.ts";
import { type RunningRegistry, startRegistry } from "../support/server.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

const WORKERS = 4;
const REPOSITORIES = ["soak/a", "soak/b", "soak/c"];
const TAGS = 6;
const SETTINGS = { GC_GRACE: "15s", UNTAGGED_TTL: "5s" };

/** What went wrong is told as it happens; the counts at the end. */
const counts = { pushes: 0, pulls: 0, deletions: 0, collections: 0, failedPushes: 0, failedPulls: 0, collected: 0 };

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

async function request(registry: RunningRegistry, method: string, path: string): Promise<Response> {
  const credentials = Buffer.from(`${registry.username}:${registry.password}`).toString("base64");
  return await fetch(`${registry.url}${path}`, { method, headers: { authorization: `Basic ${credentials}` } });
}

/** One client, which pushes an image, pulls one back, and now and then deletes something. */
async function work(registry: RunningRegistry, workspace: Workspace, until: number, worker: number): Promise<void> {
  for (let turn = 0; Date.now() < until; turn += 1) {
    const name = `${registry.host}/${pick(REPOSITORIES)}:t${Math.floor(Math.random() * TAGS)}`;
    const folder = workspace.path(`image-${worker}-${turn}`);
    const layers: LayerKind[] = turn % 3 === 0 ? ["file", "empty"] : ["file", { randomBytes: 50_000 }, "empty"];
    const { digest } = await writeImageLayout(folder, "v1", { layers });
    const push = await workspace.attempt("crane", ["push", folder, name]);
    counts.pushes += 1;
    if (push.code !== 0) {
      counts.failedPushes += 1;
      say(`push of ${name} failed: ${push.stderr.trim()}`);
    }
    // By digest: the tag may be another client's by now, but nobody deletes by digest, and UNTAGGED_TTL is not over.
    const pulled = workspace.path(`pulled-${worker}`);
    const byDigest = `${name.slice(0, name.lastIndexOf(":"))}@${digest}`;
    const pull = await workspace.attempt("crane", ["pull", "--format", "oci", byDigest, pulled]);
    counts.pulls += 1;
    if (push.code === 0 && pull.code !== 0) {
      counts.failedPulls += 1;
      say(`pull of ${byDigest} failed: ${pull.stderr.trim()}`);
    }
    await Promise.all([folder, pulled].map(async (path) => await rm(path, { recursive: true, force: true })));
    if (turn % 4 === 3) {
      const { status } = await request(
        registry,
        "DELETE",
        `/v2/${name.slice(registry.host.length + 1).replace(":", "/manifests/")}`,
      );
      if (status === 202) counts.deletions += 1;
    }
  }
}

async function collect(registry: RunningRegistry): Promise<number> {
  const response = await request(registry, "POST", "/api/collection");
  if (response.status !== 200) throw new Error(`the collection failed: ${await response.text()}`);
  const { outcome } = (await response.json()) as {
    outcome: { marked: number; condemned: number; manifests: number; blobs: number };
  };
  counts.collections += 1;
  counts.collected += outcome.manifests + outcome.blobs;
  return outcome.marked + outcome.condemned + outcome.manifests + outcome.blobs;
}

/** Lets clients work for so long, with the collection beside them, and then waits until nothing moves for longer than any grace. */
async function soak(registry: RunningRegistry, workspace: Workspace, minutes: number): Promise<void> {
  const until = Date.now() + minutes * 60_000;
  const login = ["auth", "login", registry.host, "--username", registry.username, "--password-stdin"];
  await workspace.run("crane", login, { input: registry.password });
  const workers = Array.from({ length: WORKERS }, async (_, worker) => await work(registry, workspace, until, worker));
  for (let turn = 1; Date.now() < until; turn += 1) {
    await collect(registry);
    if (turn % 30 === 0) say(JSON.stringify(counts));
    await sleep(1_000);
  }
  await Promise.all(workers);
  for (let quiet = 0; quiet < 40; quiet = (await collect(registry)) === 0 ? quiet + 1 : 0) await sleep(1_000);
}

describeWithTools("crane beside the collection", ["crane"], () => {
  const minutes = Number(process.env.SOAK_MINUTES ?? 10);

  test(
    `for ${minutes} minutes: no push and no pull fails, and nothing is left that nothing refers to`,
    { timeout: (minutes + 5) * 60_000 },
    async () => {
      const [registry, workspace] = await Promise.all([startRegistry(SETTINGS), createWorkspace()]);
      try {
        await soak(registry, workspace, minutes);
        const answer = await request(registry, "GET", "/api/collection");
        const { due, waiting } = (await answer.json()) as { due: unknown[]; waiting: unknown[] };
        say(JSON.stringify(counts));
        expect({ ...counts, due, waiting }).toMatchObject({ failedPushes: 0, failedPulls: 0, due: [], waiting: [] });
        expect(counts.collected).toBeGreaterThan(0);
      } finally {
        await Promise.all([registry.stop(), workspace.remove()]);
      }
    },
  );
});
