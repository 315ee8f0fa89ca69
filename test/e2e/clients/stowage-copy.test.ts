import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programs } from "../../bench/servers/programs.ts";
import type { BenchServer } from "../../bench/servers/server.ts";
import { logIn } from "../support/clients.ts";
import { writeImageLayout, writeIndexLayout } from "../support/images.ts";
import {
  fetchManifest,
  imageName,
  listTags,
  manifestStatus,
  repositoryName,
  requestRegistry,
} from "../support/registry.ts";
import { STOWAGE, stowage, useRegistry } from "../support/stowage.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

interface Image {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

const LAYER_BYTES = 24_000_000;

describeWithTools("stowage copy", ["docker-registry", "crane"], () => {
  let workspace: Workspace;
  let distribution: BenchServer;
  let host: string;
  const crane = (...args: string[]) => workspace.run("crane", args);

  beforeAll(async () => {
    workspace = await createWorkspace();
    useRegistry(workspace);
    const started = await programs.find(({ name }) => name === "distribution-2.8")?.start();
    if (!started) throw new Error("the benchmark knows no distribution 2.8 any more");
    distribution = started;
    host = new URL(distribution.url).host;
  });

  afterAll(async () => {
    await distribution.stop();
    await workspace.remove();
  });

  test("brings a repository from distribution, and takes it back, every digest kept", async () => {
    const repository = repositoryName("copy/all");
    const { index } = await writeIndexLayout(workspace.path("index"), "v1", ["amd64", "arm64"]);
    const image = await writeImageLayout(workspace.path("image"), "v1", {
      layers: ["file", "empty", { randomBytes: 5e6 }],
    });
    await crane("push", workspace.path("index"), `${host}/team/web:multi`);
    for (const tag of ["v1.0", "v1.1"]) await crane("push", workspace.path("image"), `${host}/team/web:${tag}`);

    await stowage(workspace, "copy", `${host}/team/web:v1.*`, repository);
    expect(await listTags(repository)).toEqual(["v1.0", "v1.1"]);
    const rest = await stowage(workspace, "copy", "--all-tags", `${host}/team/web`, repository);
    expect(rest.images.map(({ status }) => status).sort()).toEqual(["copied", "present", "present"]);
    expect((await fetchManifest(repository, "multi")).digest).toBe(index.digest);
    expect((await fetchManifest(repository, "v1.0")).digest).toBe(image.digest);

    // In chunks that distribution takes one after the other.
    const back = ["--all-tags", "--chunk-size", "2MB", imageName(repository), `${host}/back/web`];
    expect((await stowage(workspace, "copy", ...back)).blobs.present).toBe(0);
    for (const tag of ["multi", "v1.0", "v1.1"]) {
      expect(await crane("digest", `${host}/back/web:${tag}`)).toBe(await crane("digest", `${host}/team/web:${tag}`));
    }
    await verify(`${host}/back/web:v1.0`);
  });

  test("goes on where it was killed", async () => {
    const repository = repositoryName("copy/killed");
    const layers = Array.from({ length: 6 }, () => ({ randomBytes: LAYER_BYTES }));
    const image = await writeImageLayout(workspace.path("large"), "v1", { layers });
    await crane("push", workspace.path("large"), `${host}/team/large:v1`);
    const { config, layers: pushed } = JSON.parse(await crane("manifest", `${host}/team/large:v1`)) as Image;
    const blobs = [config, ...pushed].map(({ digest }) => digest);

    let before = 0;
    for (const wanted of [1, 3]) {
      const [command, script] = STOWAGE;
      const args = [script, "copy", "--jobs", "2", `${host}/team/large:v1`, `${repository}:v1`];
      const child = spawn(command, args, { env: workspace.env, stdio: "ignore" });
      const ended = once(child, "close");
      while (child.exitCode === null && (await countBlobs(repository, blobs)) < wanted) await sleep(20);
      child.kill("SIGKILL");
      await ended;
      expect(child.signalCode).toBe("SIGKILL");
      expect(await manifestStatus(repository, "v1")).toBe(404);
      before = await countBlobs(repository, blobs);
      expect(before).toBeGreaterThanOrEqual(wanted);
    }

    const rest = await stowage(workspace, "copy", `${host}/team/large:v1`, `${repository}:v1`);
    expect(rest.blobs).toMatchObject({ present: before, copied: blobs.length - before });
    expect((await fetchManifest(repository, "v1")).digest).toBe(image.digest);
    await logIn("crane", workspace);
    await verify(imageName(repository, ":v1"));
  });

  /** Pulls an image, each of whose blobs crane verifies. */
  async function verify(image: string): Promise<void> {
    await crane("pull", "--format", "oci", image, workspace.path("pulled"));
    await workspace.run("rm", ["-r", workspace.path("pulled")]);
  }

  async function countBlobs(repository: string, digests: readonly string[]): Promise<number> {
    const asked = digests.map(async (digest) => await requestRegistry("HEAD", `${repository}/blobs/${digest}`));
    return (await Promise.all(asked)).filter(({ status }) => status === 200).length;
  }
});
