import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addAccount, makePublic, seedImage, setAbout } from "../support/access.ts";
import type { Background } from "../support/background.ts";
import { logIn } from "../support/clients.ts";
import { startDockerd } from "../support/dockerd.ts";
import { imageName, registry, repositoryName } from "../support/registry.ts";
import { tarOf } from "../support/tar.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

/** Part of the names of all repositories of a group of tests. */
interface Scene {
  readonly term: string;
  readonly open: string;
  readonly closed: string;
  readonly hers: string;
}

/** A public repository with stars, a private one, and one that an account may pull. */
async function setScene(): Promise<Scene> {
  const term = repositoryName("search");
  const [open, closed, hers] = [`${term}/open`, `${term}/closed`, `${term}/hers`];
  for (const name of [open, closed, hers]) await seedImage(name);
  await makePublic(open);
  await setAbout(open, { description: "What anyone may pull", stars: 12, official: true });
  await setAbout(hers, { description: "Hers alone" });
  return { term, open, closed, hers };
}

describeWithTools("docker search", ["docker", "dockerd"], () => {
  let workspace: Workspace;
  let daemon: Background | undefined;

  beforeAll(async () => {
    workspace = await createWorkspace();
    daemon = await startDockerd(workspace);
  });

  afterAll(async () => {
    await daemon?.stop();
    await workspace.remove();
  });

  const docker = (...args: string[]) => workspace.run("docker", args);
  const search = async (term: string, ...args: string[]) => await docker("search", ...args, `${registry.host}/${term}`);
  const namesFound = async (term: string, ...args: string[]) => {
    const names = (await search(term, "--format", "{{.Name}}", ...args)).split("\n");
    return names.filter((name) => name !== "");
  };

  test("logged out, finds what is public, in Docker's table", async () => {
    const scene = await setScene();
    const [head, ...lines] = (await search(scene.term)).split("\n");
    // Older ones have a column more, for what Docker has given up.
    expect(head?.split(/\s{2,}/).slice(0, 4)).toEqual(["NAME", "DESCRIPTION", "STARS", "OFFICIAL"]);
    expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual([
      [scene.open, "What anyone may pull", "12", "[OK]"],
    ]);
  });

  test("logged out, finds nothing, and no error, where nothing is public", async () => {
    const scene = await setScene();
    expect((await search(scene.closed)).split("\n")).toHaveLength(1);
  });

  test("logged in, finds what the account may pull besides", async () => {
    const scene = await setScene();
    await logIn("docker", workspace, await addAccount([scene.hers, "pull"]));
    expect(await namesFound(scene.term)).toEqual([scene.open, scene.hers]);
    await logIn("docker", workspace);
    expect(await namesFound(scene.term)).toEqual([scene.open, scene.closed, scene.hers]);
    expect(await namesFound(scene.term, "--limit", "1")).toEqual([scene.open]);
    expect(await namesFound(scene.term, "--filter", "is-official=true")).toEqual([scene.open]);
    expect(await namesFound(scene.term, "--filter", "is-official=false")).toEqual([scene.closed, scene.hers]);
    expect(await namesFound(scene.term, "--filter", "stars=12")).toEqual([scene.open]);
    expect(await namesFound(scene.term, "--filter", "stars=13")).toEqual([]);
  });

  test("finds an image that it pushed by its labels, and describes it by them", async () => {
    await logIn("docker", workspace);
    const word = `label${Date.now().toString(36)}`;
    const image = imageName(repositoryName("search-labels"), ":v1");
    const file = workspace.path("tmp/import.tar");
    await writeFile(file, [tarOf("hello", image)]);
    await docker("import", "--change", `LABEL org.opencontainers.image.description="Says ${word}"`, file, image);
    await docker("push", image);
    await expect
      .poll(async () => await search(word, "--no-trunc", "--format", "{{.Description}}"))
      .toBe(`Says ${word}`);
  });
});

describeWithTools("podman search", ["podman"], () => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await createWorkspace();
  });

  afterAll(async () => {
    await workspace.remove();
  });

  const attempt = async (term: string, ...args: string[]) =>
    await workspace.attempt("podman", ["search", "--tls-verify=false", ...args, `${registry.host}/${term}`]);
  const namesFound = async (term: string, ...args: string[]) => {
    const { code, stdout, stderr } = await attempt(term, "--format", "{{.Name}}", ...args);
    expect(code, stderr).toBe(0);
    return stdout.split("\n").filter((name) => name !== "");
  };

  test("logged out, finds what is public, with its description", async () => {
    const scene = await setScene();
    const found = await attempt(scene.term, "--format", "{{.Name}}|{{.Description}}|{{.Stars}}|{{.Official}}");
    expect(found.stdout.trim()).toBe(`${imageName(scene.open)}|What anyone may pull|12|[OK]`);
    expect(await namesFound(scene.term, "--limit", "1")).toEqual([imageName(scene.open)]);
  });

  test("logged out, finds nothing that is private", async () => {
    const scene = await setScene();
    expect((await attempt(scene.closed)).stdout).not.toContain(scene.closed);
  });

  test("logged in, finds by its name what is private", async () => {
    const scene = await setScene();
    await logIn("podman", workspace);
    expect(await namesFound(scene.closed)).toEqual([imageName(scene.closed)]);
  });
});
