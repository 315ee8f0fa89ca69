import { mkdir, readFile, writeFile } from "node:fs/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { archiveUrl, download, downloadInTwo, upload, uploadLayout } from "../support/archives.ts";
import type { Background } from "../support/background.ts";
import { logIn } from "../support/clients.ts";
import { startContainerd } from "../support/containerd.ts";
import { startDockerd } from "../support/dockerd.ts";
import { type LayerKind, writeImageLayout, writeIndexLayout } from "../support/images.ts";
import { digestOf, fetchManifest, imageName, registry, repositoryName } from "../support/registry.ts";
import { tarOf, tarOfRandom } from "../support/tar.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

/** How layers lie in the registry, and so in what it sends. */
const LAYERS: readonly (readonly LayerKind[])[] = [
  ["file", "file"],
  ["zstd file"],
  [{ randomBytes: 100_000 }],
  ["empty"],
];

/** Docker unpacks zstd since version 23, be it pulled or loaded, and the machine's may be older. */
const DOCKER_LAYERS = LAYERS.filter((layers) => !layers.includes("zstd file"));

const titled = (lists: typeof LAYERS) => lists.map((layers, i) => ({ layers, i, title: JSON.stringify(layers) }));

const PACKED = [
  ["as it is", (bytes: Buffer) => bytes],
  ["with gzip", (bytes: Buffer) => gzipSync(bytes)],
  ["with zstd", (bytes: Buffer) => zstdCompressSync(bytes)],
] as const;

/** A layout of an image in a folder of the workspace, uploaded; its config's digest is what clients call the image's id. */
async function uploadImage(workspace: Workspace, repository: string, layers: readonly LayerKind[]): Promise<string> {
  const folder = workspace.path("layouts", repository);
  const { digest } = await writeImageLayout(folder, "v1", { layers });
  expect((await uploadLayout(workspace, folder, repository, ":v1")).digest).toBe(digest);
  return (await fetchManifest(repository, "v1")).content.config?.digest ?? "";
}

describeWithTools("archives with docker", ["docker", "dockerd", "curl", "tar"], () => {
  let workspace: Workspace;
  let daemon: Background | undefined;
  const docker = (...args: string[]) => workspace.run("docker", args);
  const imageId = (image: string) => docker("image", "inspect", "--format", "{{.Id}}", image);

  beforeAll(async () => {
    workspace = await createWorkspace();
    daemon = await startDockerd(workspace);
    await logIn("docker", workspace);
  });

  afterAll(async () => {
    await daemon?.stop();
    await workspace.remove();
  });

  async function build(image: string): Promise<string> {
    const context = workspace.path("context");
    await mkdir(context, { recursive: true });
    for (const layer of [1, 2, 3]) await writeFile(`${context}/file-${layer}`, `${image} ${layer}`);
    await writeFile(`${context}/Dockerfile`, "FROM scratch\nCOPY file-1 /\nCOPY file-2 /\nCOPY file-3 /\n");
    await docker("build", "--quiet", "--tag", image, context);
    return await imageId(image);
  }

  test("docker load takes from a pipe what docker push brought: the same image, under its name", async () => {
    const repository = repositoryName("archives/docker-pushed");
    const image = imageName(repository, ":v1");
    const id = await build(image);
    await docker("push", image);
    await docker("image", "rm", "--force", id);
    const user = `${registry.username}:${registry.password}`;
    const url = archiveUrl(repository, ":v1.tar");
    const script = `curl --silent --fail --user '${user}' '${url}' | docker load`;
    expect(await workspace.run("sh", ["-c", script])).toBe(`Loaded image: ${image}`);
    expect(await imageId(image)).toBe(id);
  });

  test.for(titled(DOCKER_LAYERS))("docker load takes layers that are $title", async ({ layers, i }) => {
    const repository = repositoryName(`archives/docker-${i}`);
    const id = await uploadImage(workspace, repository, layers);
    await docker("load", "--input", await download(workspace, repository, ":v1.tar"));
    expect(await imageId(imageName(repository, ":v1"))).toBe(id);
  });

  test.for(PACKED)("docker pull has the image that docker save wrote, which came %s", async ([how, pack]) => {
    const repository = repositoryName(`archives/saved-${how.replaceAll(" ", "-")}`);
    const id = await build("hello:1");
    const file = workspace.path("tmp/saved.tar");
    await docker("save", "--output", file, "hello:1");
    await writeFile(file, pack(await readFile(file)));
    await docker("image", "rm", "--force", id);
    await upload(workspace, file, repository, ":v1");
    await docker("pull", imageName(repository, ":v1"));
    expect(await imageId(imageName(repository, ":v1"))).toBe(id);
    await docker("image", "rm", "--force", id);
  });

  test("several images travel in one archive, and each comes out of it by its name", async () => {
    const repository = repositoryName("archives/several");
    const names = ["one:1", "two:latest"];
    const ids = [await build("one:1"), await build("two:latest")];
    const file = workspace.path("tmp/several.tar");
    await docker("save", "--output", file, ...names);
    await docker("image", "rm", "--force", ...ids);
    for (const name of names) await upload(workspace, file, repository, `:${name.split(":")[0] ?? ""}?image=${name}`);
    await docker("load", "--input", await download(workspace, repository, `:one.tar?image=${repository}:two`));
    expect(await imageId(imageName(repository, ":one"))).toBe(ids[0]);
    expect(await imageId(imageName(repository, ":two"))).toBe(ids[1]);
  });

  test("one of an index's platforms is taken out of it", async () => {
    const repository = repositoryName("archives/docker-multi");
    const folder = workspace.path("layouts", repository);
    await writeIndexLayout(folder, "v1", ["amd64", "arm64"]);
    await uploadLayout(workspace, folder, repository, ":v1");
    for (const architecture of ["amd64", "arm64"]) {
      await docker("load", "--input", await download(workspace, repository, `:v1.tar?platform=linux/${architecture}`));
      const loaded = await docker("image", "inspect", "--format", "{{.Architecture}}", imageName(repository, ":v1"));
      expect(loaded).toBe(architecture);
    }
  });

  test("a layer of 200 MB goes in and out", async () => {
    const repository = repositoryName("archives/docker-big");
    const file = workspace.path("tmp/big.tar");
    await writeFile(file, tarOfRandom("random", 200_000_000));
    await docker("import", file, "big:1");
    const id = await imageId("big:1");
    await docker("save", "--output", file, "big:1");
    await docker("image", "rm", "--force", id);
    await upload(workspace, file, repository, ":v1");
    await docker("load", "--input", await download(workspace, repository, ":v1.tar"));
    expect(await imageId(imageName(repository, ":v1"))).toBe(id);
    await docker("image", "rm", "--force", id);
  });
});

describeWithTools("archives with podman", ["podman", "curl", "tar"], () => {
  let workspace: Workspace;
  const podman = (...args: string[]) => workspace.run("podman", args);
  const imageId = async (image: string) => `sha256:${await podman("image", "inspect", "--format", "{{.Id}}", image)}`;

  beforeAll(async () => {
    workspace = await createWorkspace();
    await logIn("podman", workspace);
  });

  afterAll(async () => {
    await workspace.remove();
  });

  test.for(titled(LAYERS))("podman load takes layers that are $title", async ({ layers, i }) => {
    const repository = repositoryName(`archives/podman-${i}`);
    const id = await uploadImage(workspace, repository, layers);
    await podman("load", "--input", await download(workspace, repository, ":v1.tar"));
    expect(await imageId(imageName(repository, ":v1"))).toBe(id);
  });

  test.for(["docker-archive", "oci-archive"])(
    "podman pull has the image that podman save wrote as %s",
    async (format) => {
      const repository = repositoryName(`archives/podman-${format}`);
      const file = workspace.path("tmp/saved.tar");
      await writeFile(file, tarOf("hello", format));
      await podman("import", file, "hello:1");
      const id = await imageId("hello:1");
      await podman("save", "--quiet", "--format", format, "--output", workspace.path(`tmp/${format}`), "hello:1");
      await podman("image", "rm", "--force", id);
      await upload(workspace, workspace.path(`tmp/${format}`), repository, ":v1");
      await podman("pull", "--quiet", "--tls-verify=false", imageName(repository, ":v1"));
      expect(await imageId(imageName(repository, ":v1"))).toBe(id);
      await podman("image", "rm", "--force", id);
    },
  );
});

describeWithTools("archives with skopeo", ["skopeo", "curl", "tar"], () => {
  let workspace: Workspace;
  const skopeo = (...args: string[]) => workspace.run("skopeo", args);

  beforeAll(async () => {
    workspace = await createWorkspace();
  });

  afterAll(async () => {
    await workspace.remove();
  });

  const configOf = async (from: string) => digestOf(Buffer.from(await skopeo("inspect", "--raw", "--config", from)));

  test.for(titled(LAYERS))(
    "skopeo copies layers that are $title, as docker-archive and as oci-archive",
    async ({ layers, i }) => {
      const repository = repositoryName(`archives/skopeo-${i}`);
      const id = await uploadImage(workspace, repository, layers);
      const { digest } = await fetchManifest(repository, "v1");
      const file = await download(workspace, repository, ":v1.tar");
      for (const from of [`docker-archive:${file}`, `docker-archive:${file}:${imageName(repository, ":v1")}`]) {
        await skopeo("copy", "--quiet", from, `dir:${workspace.path("dir")}`);
      }
      expect(await configOf(`docker-archive:${file}`)).toBe(id);
      for (const from of [`oci-archive:${file}`, `oci-archive:${file}:v1`]) {
        await skopeo("copy", "--quiet", "--preserve-digests", from, `dir:${workspace.path("dir")}`);
        expect(digestOf(await readFile(workspace.path("dir/manifest.json")))).toBe(digest);
      }
    },
  );

  test("skopeo copies all platforms of an index out of an oci-archive", async () => {
    const repository = repositoryName("archives/skopeo-multi");
    const folder = workspace.path("layouts", repository);
    const { index } = await writeIndexLayout(folder, "v1", ["amd64", "arm64", "riscv64"]);
    expect((await uploadLayout(workspace, folder, repository, ":v1")).digest).toBe(index.digest);
    const file = await download(workspace, repository, ":v1.tar?format=oci");
    await skopeo(
      "copy",
      "--quiet",
      "--all",
      "--preserve-digests",
      `oci-archive:${file}:v1`,
      `dir:${workspace.path("all")}`,
    );
    expect(digestOf(await readFile(workspace.path("all/manifest.json")))).toBe(index.digest);
  });

  test("what skopeo writes comes in", async () => {
    const repository = repositoryName("archives/skopeo-written");
    const id = await uploadImage(workspace, repository, ["file", "file"]);
    const file = await download(workspace, repository, ":v1.tar");
    for (const kind of ["docker-archive", "oci-archive"]) {
      const written = workspace.path("tmp", kind);
      await skopeo("copy", "--quiet", `oci-archive:${file}:v1`, `${kind}:${written}:docker.io/library/hello:1`);
      await upload(workspace, written, repository, `:${kind}`);
      expect((await fetchManifest(repository, kind)).content.config?.digest).toBe(id);
    }
  });

  test("curl goes on where a download broke off", async () => {
    const repository = repositoryName("archives/resumed");
    await uploadImage(workspace, repository, [{ randomBytes: 3_000_000 }, "file"]);
    const whole = await readFile(await download(workspace, repository, ":v1.tar"));
    for (const bytes of [1, 5_000, 2_000_000, whole.byteLength - 1]) {
      const resumed = await readFile(await downloadInTwo(workspace, repository, ":v1.tar", bytes));
      expect(resumed.equals(whole)).toBe(true);
    }
  });
});

describeWithTools("archives with containerd", ["containerd", "ctr", "curl", "tar"], () => {
  let workspace: Workspace;
  let daemon: Background | undefined;

  beforeAll(async () => {
    workspace = await createWorkspace();
    daemon = await startContainerd(workspace);
  });

  afterAll(async () => {
    await daemon?.stop();
    await workspace.remove();
  });

  test.for(["docker", "oci"])("ctr imports an archive for %s: the same digest, under its name", async (format) => {
    const repository = repositoryName(`archives/containerd-${format}`);
    await uploadImage(workspace, repository, ["file", "zstd file"]);
    const { digest } = await fetchManifest(repository, "v1");
    await workspace.run("ctr", ["images", "import", await download(workspace, repository, `:v1.tar?format=${format}`)]);
    const image = imageName(repository, ":v1");
    expect(await workspace.run("ctr", ["images", "list", `name==${image}`])).toContain(digest);
  });
});
