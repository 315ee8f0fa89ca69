import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Background } from "../support/background.ts";
import { startContainerd } from "../support/containerd.ts";
import { GIBIBYTE, IMAGE_SHAPES, writeImageLayout, writeIndexLayout } from "../support/images.ts";
import { fetchManifest, imageName, listTags, manifestStatus, registry, repositoryName } from "../support/registry.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

const LOGIN = ["--plain-http", "--user", `${registry.username}:${registry.password}`];

describeWithTools("containerd", ["containerd", "ctr", "tar"], () => {
  let workspace: Workspace;
  let daemon: Background | undefined;
  const images = (...args: string[]) => workspace.run("ctr", ["images", ...args]);

  beforeAll(async () => {
    workspace = await createWorkspace();
    daemon = await startContainerd(workspace);
  });

  afterAll(async () => {
    await daemon?.stop();
    await workspace.remove();
  });

  /** Imports a layout (ctr wants it as one tar archive), and names what it holds after the repository. */
  async function importLayout(layout: string, repository: string): Promise<string> {
    const archive = workspace.path("layout.tar");
    await workspace.run("tar", ["--create", "--file", archive, "--directory", layout, "."]);
    await images("import", "--all-platforms", "--no-unpack", "--base-name", imageName(repository), archive);
    await workspace.run("rm", ["-r", archive, layout]);
    return imageName(repository, ":v1");
  }

  /** Pulls into a namespace that has never seen a blob, and answers the image's digest and the blobs that are there then. */
  async function pullIntoEmptyNamespace(image: string, ...options: string[]) {
    const namespace = `pull-${randomUUID()}`;
    const inNamespace = (...args: string[]) => workspace.run("ctr", ["--namespace", namespace, "images", ...args]);
    await inNamespace("pull", ...LOGIN, ...options, image);
    const listed = (await inNamespace("list", `name==${image}`)).split("\n").at(-1) ?? "";
    const content = await workspace.run("ctr", ["--namespace", namespace, "content", "list", "--quiet"]);
    await inNamespace("remove", "--sync", image);
    return { digest: /sha256:[0-9a-f]{64}/.exec(listed)?.[0], content: content.split("\n") };
  }

  test.for([...IMAGE_SHAPES, { title: "1 GiB of random bytes", layers: [{ randomBytes: GIBIBYTE }] }])(
    "pushes an image with $title and pulls the same back",
    async ({ title, layers }) => {
      const repository = repositoryName(`containerd/${title.toLowerCase().replaceAll(" ", "-")}`);
      const layout = workspace.path("layout");
      const { digest } = await writeImageLayout(layout, "v1", { layers });
      const image = await importLayout(layout, repository);
      await images("push", ...LOGIN, image);
      const served = await fetchManifest(repository, "v1");
      expect(served.digest).toBe(digest);

      const pulled = await pullIntoEmptyNamespace(image);
      expect(pulled.digest).toBe(digest);
      expect(pulled.content).toEqual(expect.arrayContaining(served.content.layers?.map((layer) => layer.digest) ?? []));
    },
  );

  test("is refused with a wrong password and without one", async () => {
    const repository = repositoryName("containerd/refused");
    const layout = workspace.path("layout");
    await writeImageLayout(layout, "v1", { layers: ["file"] });
    const image = await importLayout(layout, repository);
    for (const credentials of [["--user", `${registry.username}:wrong`], []]) {
      const outcome = await workspace.attempt("ctr", ["images", "push", "--plain-http", ...credentials, image]);
      expect(outcome.code).not.toBe(0);
      expect(outcome.stderr).toMatch(/401|authorization failed|unauthorized|insufficient_scope|no basic auth/i);
    }
    expect(await manifestStatus(repository, "v1")).toBe(404);
  });

  test("pushes a second tag of an image and pulls it by tag and by digest", async () => {
    const repository = repositoryName("containerd/tags");
    const layout = workspace.path("layout");
    const { digest } = await writeImageLayout(layout, "v1", { layers: ["file"] });
    const image = await importLayout(layout, repository);
    await images("push", ...LOGIN, image);
    await images("tag", image, imageName(repository, ":v2"));
    await images("push", ...LOGIN, imageName(repository, ":v2"));
    expect([...(await listTags(repository))].sort()).toEqual(["v1", "v2"]);
    for (const reference of [":v2", `@${digest}`]) {
      expect((await pullIntoEmptyNamespace(imageName(repository, reference))).digest).toBe(digest);
    }
  });

  test("pushes an index and pulls each platform of it", async () => {
    const repository = repositoryName("containerd/index");
    const layout = workspace.path("layout");
    const { index, images: members } = await writeIndexLayout(layout, "v1", ["amd64", "arm64"]);
    const image = await importLayout(layout, repository);
    await images("push", ...LOGIN, image);
    expect((await fetchManifest(repository, "v1")).digest).toBe(index.digest);
    for (const member of members) {
      const platform = `linux/${member.platform?.architecture ?? ""}`;
      const pulled = await pullIntoEmptyNamespace(image, "--platform", platform);
      expect(pulled.digest).toBe(index.digest);
      const present = members.filter(({ digest }) => pulled.content.includes(digest));
      expect(present).toEqual([member]);
    }
    const all = await pullIntoEmptyNamespace(image, "--all-platforms");
    expect(all.content).toEqual(expect.arrayContaining(members.map(({ digest }) => digest)));
  });

  test("has equal layers of a second repository mounted from the first", async () => {
    const first = repositoryName("containerd/mount-from");
    const second = repositoryName("containerd/mount-to");
    const layout = workspace.path("layout");
    const { digest } = await writeImageLayout(layout, "v1", { layers: ["file"] });
    const image = await importLayout(layout, first);
    await images("push", ...LOGIN, image);
    await images("pull", ...LOGIN, image);
    await images("tag", image, imageName(second, ":v1"));
    const dump = await workspace.attempt("ctr", ["images", "push", ...LOGIN, "--http-dump", imageName(second, ":v1")]);
    expect(dump.code, dump.stderr).toBe(0);
    const requests = (dump.stdout + dump.stderr).match(/(POST|PATCH|PUT) \/v2\/\S+/g) ?? [];
    expect(requests).toContainEqual(expect.stringMatching(/^POST .*\/blobs\/uploads\/\?.*mount=sha256:/));
    expect(requests).not.toContainEqual(expect.stringMatching(/^(PATCH|PUT) .*\/blobs\//));
    expect((await pullIntoEmptyNamespace(imageName(second, ":v1"))).digest).toBe(digest);
  });
});
