import { mkdir, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { logIn } from "../support/clients.ts";
import { startDockerd } from "../support/dockerd.ts";
import { writeIndexLayout } from "../support/images.ts";
import { machineOfGroup } from "../support/machine.ts";
import { fetchManifest, imageName, registry, repositoryName } from "../support/registry.ts";
import { STOWAGE, stowage, useRegistry } from "../support/stowage.ts";
import { describeWithTools } from "../support/tools.ts";
import type { Workspace } from "../support/workspace.ts";

/** Builds an image from scratch, of two layers. */
async function buildImage(workspace: Workspace, client: "docker" | "podman", name: string): Promise<string> {
  const context = workspace.path("context");
  await mkdir(context, { recursive: true });
  await writeFile(`${context}/one`, name);
  await writeFile(`${context}/two`, Buffer.alloc(3_000_000, name));
  await writeFile(`${context}/Dockerfile`, 'FROM scratch\nCOPY one /\nCOPY two /\nCMD ["/one"]\n');
  await workspace.run(client, ["build", "--quiet", "--tag", name, context]);
  return await imageId(workspace, client, name);
}

async function imageId(workspace: Workspace, client: "docker" | "podman", name: string): Promise<string> {
  return (await workspace.run(client, ["image", "inspect", "--format", "{{.Id}}", name])).replace("sha256:", "");
}

describeWithTools("stowage load of docker", ["docker", "dockerd"], () => {
  const newcomer = machineOfGroup(startDockerd);

  test("brings what docker save wrote, so that docker pulls the same image", async () => {
    const workspace = await newcomer();
    useRegistry(workspace);
    await logIn("docker", workspace);
    const id = await buildImage(workspace, "docker", "load-docker:1");
    const archive = workspace.path("saved.tar");
    await workspace.run("docker", ["save", "--output", archive, "load-docker:1"]);
    const repository = repositoryName("load/docker");
    await stowage(workspace, "load", archive, `${repository}:file`, "--chunk-size", "1MB");
    const [node, script] = STOWAGE;
    const piped = `docker save load-docker:1 | gzip | ${node} ${script} load - ${imageName(repository, ":stdin")}`;
    await workspace.run("bash", ["-o", "pipefail", "-c", piped]);

    await workspace.run("docker", ["image", "rm", "--force", id]);
    for (const tag of [":file", ":stdin"]) {
      await workspace.run("docker", ["pull", imageName(repository, tag)]);
      expect(await imageId(workspace, "docker", imageName(repository, tag))).toBe(id);
    }
  });
});

describeWithTools("stowage load of podman and skopeo", ["podman", "skopeo", "tar"], () => {
  const newcomer = machineOfGroup();

  test.for(["docker-archive", "oci-archive"])("brings what podman saved as %s", async (format) => {
    const workspace = await newcomer();
    useRegistry(workspace);
    const id = await buildImage(workspace, "podman", `localhost/load-${format}:1`);
    const archive = workspace.path("saved.tar");
    await workspace.run("podman", ["save", "--quiet", "--format", format, "--output", archive, id]);
    const repository = repositoryName(`load/${format}`);
    await stowage(workspace, "load", archive, repository);
    await workspace.run("podman", ["image", "rm", "--force", id]);
    await logIn("podman", workspace);
    await workspace.run("podman", ["pull", "--quiet", "--tls-verify=false", imageName(repository)]);
    expect(await imageId(workspace, "podman", imageName(repository))).toBe(id);
  });

  test("brings an index with all its images, from a folder and from a tar", async () => {
    const workspace = await newcomer();
    useRegistry(workspace);
    const { index, images } = await writeIndexLayout(workspace.path("layout"), "v1", ["amd64", "arm64"]);
    await workspace.run("tar", [
      "--create",
      "--zstd",
      "--file",
      workspace.path("layout.tar"),
      "-C",
      workspace.path("layout"),
      ".",
    ]);
    for (const source of ["layout", "layout.tar"]) {
      const repository = repositoryName(`load/${source}`);
      await stowage(workspace, "load", workspace.path(source), `${registry.host}/${repository}:v1`);
      expect((await fetchManifest(repository, "v1")).digest).toBe(index.digest);
      for (const { digest } of images) await fetchManifest(repository, digest);
    }
  });
});
