import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptLogIn, logIn } from "../support/clients.ts";
import { MANIFEST_TYPES, fetchManifest, imageName, repositoryName } from "../support/registry.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

const PLAIN_HTTP = "--tls-verify=false";

describeWithTools("buildah", ["buildah"], () => {
  let workspace: Workspace;
  let stranger: Workspace;
  const buildah = (...args: string[]) => workspace.run("buildah", args);

  beforeAll(async () => {
    workspace = await createWorkspace();
    stranger = await createWorkspace();
    await logIn("buildah", workspace);
  });

  afterAll(async () => {
    await workspace.remove();
    await stranger.remove();
  });

  /** Builds an image from scratch step by step: container, file, commit. */
  async function buildImage(image: string, format: "oci" | "docker", architecture = "amd64"): Promise<void> {
    await writeFile(workspace.path("content"), `${image} ${architecture}`);
    const container = await buildah("from", "scratch");
    await buildah("add", container, workspace.path("content"), "/content");
    await buildah("config", "--arch", architecture, "--label", `name=${image}`, container);
    await buildah("commit", "--quiet", "--rm", "--format", format, container, image);
  }

  /** Pulls with a store that has never seen the image, and answers its identifier and digest there. */
  async function pullIntoEmptyStore(image: string, ...options: string[]) {
    const store = ["--root", workspace.path("second"), "--runroot", workspace.path("run/second")];
    const inSecondStore = (...args: string[]) => buildah(...store, "--storage-driver", "vfs", ...args);
    const id = await inSecondStore("pull", "--quiet", PLAIN_HTTP, ...options, image);
    const format = "{{.FromImageDigest}} {{.OCIv1.Architecture}}";
    const [digest, architecture] = (await inSecondStore("inspect", "--type", "image", "--format", format, id)).split(
      " ",
    );
    await inSecondStore("rmi", "--force", id);
    return { id, digest, architecture };
  }

  test("logs in with the right password", async () => {
    expect(await logIn("buildah", workspace)).toContain("Login Succeeded");
  });

  test("is refused with a wrong password", async () => {
    const outcome = await attemptLogIn("buildah", stranger, { password: "wrong" });
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(/invalid username\/password|unauthorized/i);
  });

  test.for([
    { format: "oci", mediaType: MANIFEST_TYPES.ociManifest },
    { format: "docker", mediaType: MANIFEST_TYPES.dockerManifest },
  ] as const)("pushes an image in $format format and pulls the same back", async ({ format, mediaType }) => {
    const repository = repositoryName(`buildah/${format}`);
    const image = imageName(repository, ":v1");
    await buildImage(image, format);
    await buildah("push", "--quiet", PLAIN_HTTP, "--digestfile", workspace.path("digest"), image);

    const served = await fetchManifest(repository, "v1");
    expect(served.digest).toBe(await workspace.run("cat", [workspace.path("digest")]));
    expect(served.mediaType).toBe(mediaType);
    for (const reference of [":v1", `@${served.digest}`]) {
      const pulled = await pullIntoEmptyStore(imageName(repository, reference));
      expect(pulled.digest).toBe(served.digest);
      expect(served.content.config?.digest).toBe(`sha256:${pulled.id}`);
    }
  });

  test("builds upon an image that it pulls from the registry", async () => {
    const base = imageName(repositoryName("buildah/base"), ":v1");
    const repository = repositoryName("buildah/derived");
    const derived = imageName(repository, ":v1");
    await buildImage(base, "oci");
    await buildah("push", "--quiet", PLAIN_HTTP, base);
    await buildah("rmi", base);
    const container = await buildah("from", "--quiet", PLAIN_HTTP, base);
    await buildah("add", container, workspace.path("content"), "/second");
    await buildah("commit", "--quiet", "--rm", container, derived);
    await buildah("push", "--quiet", PLAIN_HTTP, derived);
    const { content, digest } = await fetchManifest(repository, "v1");
    expect(content.layers).toHaveLength(2);
    expect((await pullIntoEmptyStore(derived)).digest).toBe(digest);
  });

  test("pushes an index and pulls each platform of it", async () => {
    const repository = repositoryName("buildah/index");
    const index = imageName(repository, ":v1");
    const architectures = ["amd64", "arm64"];
    await buildah("manifest", "create", index);
    for (const architecture of architectures) {
      await buildImage(`localhost/${architecture}`, "oci", architecture);
      await buildah("manifest", "add", index, `containers-storage:localhost/${architecture}`);
    }
    await buildah("manifest", "push", "--quiet", "--all", PLAIN_HTTP, index, `docker://${index}`);
    expect((await fetchManifest(repository, "v1")).mediaType).toBe(MANIFEST_TYPES.ociIndex);
    for (const architecture of architectures) {
      expect((await pullIntoEmptyStore(index, "--arch", architecture)).architecture).toBe(architecture);
    }
  });
});
