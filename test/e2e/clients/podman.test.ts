import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptLogIn, logIn } from "../support/clients.ts";
import { IMAGE_SHAPES, writeImageLayout } from "../support/images.ts";
import { MANIFEST_TYPES, fetchManifest, imageName, repositoryName } from "../support/registry.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

const PLAIN_HTTP = "--tls-verify=false";

describeWithTools("podman", ["podman"], () => {
  let workspace: Workspace;
  let stranger: Workspace;
  const podman = (...args: string[]) => workspace.run("podman", args);

  beforeAll(async () => {
    workspace = await createWorkspace();
    stranger = await createWorkspace();
    await logIn("podman", workspace);
  });

  afterAll(async () => {
    await workspace.remove();
    await stranger.remove();
  });

  /** Builds an image from scratch with so many layers, as a Containerfile of that many COPY lines does. */
  async function buildImage(image: string, layerCount: number, architecture = "amd64"): Promise<void> {
    const context = workspace.path("context");
    await mkdir(context, { recursive: true });
    const steps: string[] = [];
    for (let layer = 1; layer <= layerCount; layer += 1) {
      await writeFile(`${context}/file-${layer}`, `${image} ${layer}`);
      steps.push(`COPY file-${layer} /`);
    }
    await writeFile(`${context}/Containerfile`, ["FROM scratch", ...steps].join("\n"));
    await podman("build", "--quiet", "--layers", "--arch", architecture, "--tag", image, context);
  }

  async function push(image: string, ...options: string[]): Promise<void> {
    await podman("push", "--quiet", PLAIN_HTTP, ...options, image);
  }

  /** Pulls with a store that has never seen the image, and answers what the image is there. */
  async function pullIntoEmptyStore(image: string, ...options: string[]) {
    const store = ["--root", workspace.path("second"), "--runroot", workspace.path("run/second")];
    const inSecondStore = (...args: string[]) => podman(...store, "--storage-driver", "vfs", ...args);
    const id = await inSecondStore("pull", "--quiet", PLAIN_HTTP, ...options, image);
    const [inspected] = JSON.parse(await inSecondStore("image", "inspect", id)) as [
      { Digest: string; Architecture: string },
    ];
    await inSecondStore("image", "rm", "--force", id);
    return { id, digest: inspected.Digest, architecture: inspected.Architecture };
  }

  test("logs in with the right password", async () => {
    expect(await logIn("podman", workspace)).toContain("Login Succeeded");
  });

  test("is refused with a wrong password", async () => {
    const outcome = await attemptLogIn("podman", stranger, { password: "wrong" });
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(/invalid username\/password|unauthorized/i);
  });

  test("cannot pull without a login", async () => {
    const image = imageName(repositoryName("podman/anonymous"), ":v1");
    await buildImage(image, 1);
    await push(image);
    const outcome = await stranger.attempt("podman", ["pull", PLAIN_HTTP, image]);
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(/unauthorized|authentication required/i);
  });

  test.for([
    { format: "oci", mediaType: MANIFEST_TYPES.ociManifest },
    { format: "v2s2", mediaType: MANIFEST_TYPES.dockerManifest },
  ])("pushes an image that it built as $format and pulls the same back", async ({ format, mediaType }) => {
    const repository = repositoryName(`podman/${format}`);
    const image = imageName(repository, ":v1");
    await buildImage(image, 3);
    await push(image, "--format", format);

    const served = await fetchManifest(repository, "v1");
    expect(served.mediaType).toBe(mediaType);
    expect(served.content.layers).toHaveLength(3);
    for (const reference of [":v1", `@${served.digest}`]) {
      const pulled = await pullIntoEmptyStore(imageName(repository, reference));
      expect(pulled.digest).toBe(served.digest);
      expect(served.content.config?.digest).toBe(`sha256:${pulled.id}`);
    }
  });

  test.for(IMAGE_SHAPES)("pushes an image with $title and pulls the same back", async ({ title, layers }) => {
    const repository = repositoryName(`podman/${title.replaceAll(" ", "-")}`);
    const image = imageName(repository, ":v1");
    await writeImageLayout(workspace.path(repository), "v1", { layers });
    // A relative path: podman names the image after it, and image names are lower case.
    const id = await workspace.run("podman", ["pull", "--quiet", `oci:${repository}:v1`], { cwd: workspace.path() });
    await podman("tag", id, image);
    await push(image);

    const served = await fetchManifest(repository, "v1");
    expect(served.content.layers).toHaveLength(layers.length);
    const pulled = await pullIntoEmptyStore(image);
    expect(pulled.id).toBe(id);
    expect(pulled.digest).toBe(served.digest);
  });

  test("pushes a second tag of an image under the same digest", async () => {
    const repository = repositoryName("podman/tags");
    await buildImage(imageName(repository, ":v1"), 1);
    await podman("tag", imageName(repository, ":v1"), imageName(repository, ":v2"));
    await push(imageName(repository, ":v1"));
    await push(imageName(repository, ":v2"));
    const first = await fetchManifest(repository, "v1");
    expect((await fetchManifest(repository, "v2")).digest).toBe(first.digest);
    expect((await pullIntoEmptyStore(imageName(repository, ":v2"))).digest).toBe(first.digest);
  });

  test("has equal layers of a second repository mounted from the first", async () => {
    const first = imageName(repositoryName("podman/mount-from"), ":v1");
    const repository = repositoryName("podman/mount-to");
    const second = imageName(repository, ":v1");
    await buildImage(first, 2);
    await push(first);
    await podman("tag", first, second);
    const outcome = await workspace.attempt("podman", ["--log-level", "debug", "push", PLAIN_HTTP, second]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stderr.match(/mount OK/g)?.length).toBeGreaterThanOrEqual(2);
    expect((await pullIntoEmptyStore(second)).digest).toBe((await fetchManifest(repository, "v1")).digest);
  });

  test.for([
    { format: "oci", mediaType: MANIFEST_TYPES.ociIndex },
    { format: "v2s2", mediaType: MANIFEST_TYPES.dockerList },
  ])("pushes a manifest list as $format and pulls each platform of it", async ({ format, mediaType }) => {
    const repository = repositoryName(`podman/list-${format}`);
    const list = imageName(repository, ":v1");
    const architectures = ["amd64", "arm64"];
    await podman("manifest", "create", list);
    for (const architecture of architectures) {
      const image = `localhost/${format}-${architecture}`;
      await buildImage(image, 1, architecture);
      await podman("manifest", "add", list, `containers-storage:${image}`);
    }
    await podman("manifest", "push", "--all", "--format", format, PLAIN_HTTP, list, `docker://${list}`);

    const served = await fetchManifest(repository, "v1");
    expect(served.mediaType).toBe(mediaType);
    expect(served.content.manifests).toHaveLength(2);
    for (const architecture of architectures) {
      const pulled = await pullIntoEmptyStore(list, "--platform", `linux/${architecture}`);
      expect(pulled.architecture).toBe(architecture);
    }
  });

  test("finds a repository by a part of its name, and lists its tags", async () => {
    const repository = repositoryName("podman/findable");
    await buildImage(imageName(repository, ":v1"), 1);
    await push(imageName(repository, ":v1"));
    const search = (...options: string[]) => podman("search", PLAIN_HTTP, "--format", "{{.Name}}", ...options);
    expect((await search("--limit", "100", imageName(repository))).split("\n")).toContain(imageName(repository));
    const tags = await podman("search", PLAIN_HTTP, "--list-tags", imageName(repository));
    expect(tags.split("\n").at(-1)?.split(/\s+/)).toEqual([imageName(repository), "v1"]);
  });
});
