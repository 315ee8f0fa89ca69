import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Background } from "../support/background.ts";
import { logIn } from "../support/clients.ts";
import { startDockerd } from "../support/dockerd.ts";
import { GIBIBYTE } from "../support/images.ts";
import {
  MANIFEST_TYPES,
  fetchManifest,
  imageName,
  listTags,
  manifestStatus,
  registry,
  repositoryName,
  requestRegistry,
} from "../support/registry.ts";
import { emptyTar, tarOf, tarOfRandom } from "../support/tar.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

describeWithTools("docker", ["docker", "dockerd"], () => {
  let workspace: Workspace;
  let daemon: Background | undefined;
  const docker = (...args: string[]) => workspace.run("docker", args);

  beforeAll(async () => {
    workspace = await createWorkspace();
    daemon = await startDockerd(workspace);
    await logIn("docker", workspace);
  });

  afterAll(async () => {
    await daemon?.stop();
    await workspace.remove();
  });

  async function importTar(image: string, pieces: Iterable<Uint8Array>): Promise<void> {
    const file = workspace.path("tmp/import.tar");
    await writeFile(file, pieces);
    await docker("import", file, image);
  }

  /** Builds an image from scratch with so many layers, as a Dockerfile of that many COPY lines does. */
  async function buildImage(image: string, layerCount: number, architecture = "amd64"): Promise<void> {
    const context = workspace.path("context");
    await mkdir(context, { recursive: true });
    const steps: string[] = [];
    for (let layer = 1; layer <= layerCount; layer += 1) {
      await writeFile(`${context}/file-${layer}`, `${image} ${layer}`);
      steps.push(`COPY file-${layer} /`);
    }
    await writeFile(`${context}/Dockerfile`, ["FROM scratch", ...steps].join("\n"));
    await docker("build", "--quiet", "--platform", `linux/${architecture}`, "--tag", image, context);
  }

  const imageId = (image: string) => docker("image", "inspect", "--format", "{{.Id}}", image);

  /** Pushes, empties the daemon's store, pulls back, and checks that each side saw the same image. */
  async function pushAndPullBack(repository: string): Promise<string> {
    const image = imageName(repository, ":v1");
    const id = await imageId(image);
    const pushed = digestIn(await docker("push", image));
    const served = await fetchManifest(repository, "v1");
    expect(served.digest).toBe(pushed);
    expect(served.mediaType).toBe(MANIFEST_TYPES.dockerManifest);

    await docker("image", "rm", "--force", id);
    expect(await docker("image", "ls", "--quiet", "--filter", `reference=${image}`)).toBe("");
    expect(digestIn(await docker("pull", image))).toBe(pushed);
    expect(await imageId(image)).toBe(id);
    return pushed;
  }

  test("logs in with the right password", async () => {
    expect(await logIn("docker", workspace)).toContain("Login Succeeded");
  });

  test("is refused with a wrong password", async () => {
    const args = ["--config", workspace.path("stranger"), "login", "--username", registry.username, "--password-stdin"];
    const outcome = await workspace.attempt("docker", [...args, registry.host], { input: "wrong" });
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(/unauthorized|401/i);
  });

  test("can neither push nor pull without a login", async () => {
    const image = imageName(repositoryName("docker/anonymous"), ":v1");
    await importTar(image, [tarOf("hello", image)]);
    for (const verb of ["push", "pull"]) {
      const outcome = await workspace.attempt("docker", ["--config", workspace.path("stranger"), verb, image]);
      expect(outcome.code).not.toBe(0);
      expect(outcome.stderr).toMatch(/no basic auth credentials|unauthorized|authentication required|denied/i);
    }
  });

  test.for([1, 40])("pushes an image of %i layers and pulls the same back", async (layerCount) => {
    const repository = repositoryName(`docker/layers-${layerCount}`);
    await buildImage(imageName(repository, ":v1"), layerCount);
    await pushAndPullBack(repository);
    const { content } = await fetchManifest(repository, "v1");
    expect(content.layers).toHaveLength(layerCount);
  });

  test("pushes an image whose only layer is empty and pulls the same back", async () => {
    const repository = repositoryName("docker/empty-layer");
    await importTar(imageName(repository, ":v1"), [emptyTar()]);
    await pushAndPullBack(repository);
  });

  test("pushes a layer of 1 GiB of random bytes and pulls the same back", async () => {
    const repository = repositoryName("docker/big-layer");
    await importTar(imageName(repository, ":v1"), tarOfRandom("random", GIBIBYTE));
    await pushAndPullBack(repository);
    await docker("image", "rm", imageName(repository, ":v1"));
  });

  test("tags an image and pulls it by its second tag and by its digest", async () => {
    const repository = repositoryName("docker/tags");
    await importTar(imageName(repository, ":v1"), [tarOf("hello", repository)]);
    const digest = await pushAndPullBack(repository);
    const id = await imageId(imageName(repository, ":v1"));
    await docker("tag", imageName(repository, ":v1"), imageName(repository, ":v2"));
    expect(digestIn(await docker("push", imageName(repository, ":v2")))).toBe(digest);
    expect([...(await listTags(repository))].sort()).toEqual(["v1", "v2"]);

    for (const reference of [":v2", `@${digest}`]) {
      await docker("image", "rm", "--force", id);
      await docker("pull", imageName(repository, reference));
      expect(await imageId(imageName(repository, reference))).toBe(id);
    }
  });

  test("has equal layers of a second repository mounted from the first", async () => {
    const first = repositoryName("docker/mount-from");
    const second = repositoryName("docker/mount-to");
    await buildImage(imageName(first, ":v1"), 3);
    await docker("push", imageName(first, ":v1"));
    await docker("tag", imageName(first, ":v1"), imageName(second, ":v1"));
    const output = await docker("push", imageName(second, ":v1"));
    expect(output.match(new RegExp(`Mounted from ${first}`, "g"))).toHaveLength(3);
    await pushAndPullBack(second);
  });

  test("pushes a manifest list and pulls each platform of it", async () => {
    const repository = repositoryName("docker/multi-arch");
    const architectures = ["amd64", "arm64"];
    const images = architectures.map((architecture) => imageName(repository, `:${architecture}`));
    for (const [index, architecture] of architectures.entries()) {
      const image = images[index] ?? "";
      await buildImage(image, 1, architecture);
      await docker("push", image);
    }
    await docker("manifest", "create", "--insecure", imageName(repository, ":v1"), ...images);
    const pushed = await docker("manifest", "push", imageName(repository, ":v1"));

    const list = await fetchManifest(repository, "v1");
    expect(pushed).toContain(list.digest);
    expect(list.mediaType).toBe(MANIFEST_TYPES.dockerList);
    for (const architecture of architectures) {
      await docker("pull", "--platform", `linux/${architecture}`, imageName(repository, ":v1"));
      const pulled = await docker("image", "inspect", "--format", "{{.Architecture}}", imageName(repository, ":v1"));
      expect(pulled).toBe(architecture);
    }
  });

  test("pushes an image that went through save and load", async () => {
    const repository = repositoryName("docker/archive");
    const image = imageName(repository, ":v1");
    await buildImage(image, 2);
    const id = await imageId(image);
    await docker("save", "--output", workspace.path("archive.tar"), image);
    await docker("image", "rm", "--force", id);
    await docker("load", "--input", workspace.path("archive.tar"));
    expect(await imageId(image)).toBe(id);
    await pushAndPullBack(repository);
  });

  test("no longer finds an image that was deleted from the registry", async () => {
    const repository = repositoryName("docker/deleted");
    const image = imageName(repository, ":v1");
    await importTar(image, [tarOf("hello", image)]);
    const digest = await pushAndPullBack(repository);
    expect((await requestRegistry("DELETE", `${repository}/manifests/${digest}`)).status).toBe(202);
    expect(await manifestStatus(repository, "v1")).toBe(404);
    const outcome = await workspace.attempt("docker", ["pull", image]);
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(/not found|unknown/i);
  });
});

/** The digest that `docker push` and `docker pull` print. */
function digestIn(output: string): string {
  const digest = /digest: (sha256:[0-9a-f]{64})/i.exec(output)?.[1];
  expect(digest, output).toBeDefined();
  return digest ?? "";
}
