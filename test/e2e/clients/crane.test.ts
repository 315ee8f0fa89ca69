import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptLogIn, logIn } from "../support/clients.ts";
import { IMAGE_SHAPES, writeImageLayout, writeIndexLayout } from "../support/images.ts";
import {
  MANIFEST_TYPES,
  fetchManifest,
  imageName,
  listTags,
  manifestStatus,
  registry,
  repositoryName,
} from "../support/registry.ts";
import type { ManifestContent } from "../support/registry.ts";
import { tarOf } from "../support/tar.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

const RANDOM_BYTES = 64 * 1024 * 1024;

describeWithTools("crane", ["crane"], () => {
  let workspace: Workspace;
  let stranger: Workspace;
  const crane = (...args: string[]) => workspace.run("crane", args);

  beforeAll(async () => {
    workspace = await createWorkspace();
    stranger = await createWorkspace();
    await logIn("crane", workspace);
  });

  afterAll(async () => {
    await workspace.remove();
    await stranger.remove();
  });

  /** Pulls into a fresh layout, and answers the digest that is there then. */
  async function pullIntoLayout(image: string, ...options: string[]): Promise<string | undefined> {
    const layout = workspace.path("pulled");
    await crane("pull", "--format", "oci", ...options, image, layout);
    const { manifests } = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as ManifestContent;
    await workspace.run("rm", ["-r", layout]);
    return manifests?.[0]?.digest;
  }

  test("is refused with a wrong password and without one", async () => {
    const image = imageName(repositoryName("crane/refused"), ":v1");
    await writeImageLayout(workspace.path("refused"), "v1", { layers: ["file"] });
    const withoutPassword = await stranger.attempt("crane", ["push", workspace.path("refused"), image]);
    await attemptLogIn("crane", stranger, { password: "wrong" });
    const withWrongPassword = await stranger.attempt("crane", ["push", workspace.path("refused"), image]);
    for (const outcome of [withoutPassword, withWrongPassword]) {
      expect(outcome.code).not.toBe(0);
      expect(outcome.stderr).toMatch(/unauthorized|401/i);
    }
  });

  test.for([...IMAGE_SHAPES, { title: "64 MiB of random bytes", layers: [{ randomBytes: RANDOM_BYTES }] }])(
    "pushes an image with $title and pulls the same back",
    async ({ title, layers }) => {
      const repository = repositoryName(`crane/${title.toLowerCase().replaceAll(" ", "-")}`);
      const image = imageName(repository, ":v1");
      const { digest } = await writeImageLayout(workspace.path(repository), "v1", { layers });
      expect(await crane("push", workspace.path(repository), image)).toBe(imageName(repository, `@${digest}`));
      expect(await crane("digest", image)).toBe(digest);
      expect(await pullIntoLayout(image)).toBe(digest);
      expect(await pullIntoLayout(imageName(repository, `@${digest}`))).toBe(digest);
    },
  );

  test("pushes a schema 2 image from a Docker archive and pulls it as one", async () => {
    const first = imageName(repositoryName("crane/schema-2"), ":v1");
    const repository = repositoryName("crane/schema-2-again");
    const archive = workspace.path("archive.tar");
    await writeFile(workspace.path("layer.tar"), tarOf("hello", repository));
    await crane("append", "--new_layer", workspace.path("layer.tar"), "--new_tag", first);
    await crane("pull", first, archive);
    await crane("push", archive, imageName(repository, ":v1"));
    await crane("validate", "--remote", imageName(repository, ":v1"));
    const served = await fetchManifest(repository, "v1");
    expect(served.mediaType).toBe(MANIFEST_TYPES.dockerManifest);
    expect(served.digest).toBe(await crane("digest", first));
  });

  test("pushes an index, adds an image to it, and pulls each platform", async () => {
    const repository = repositoryName("crane/index");
    const image = imageName(repository, ":v1");
    const { index, images } = await writeIndexLayout(workspace.path("index"), "v1", ["amd64", "arm64"]);
    await writeImageLayout(workspace.path("more"), "v1", { layers: ["file"], architecture: "riscv64" });
    await crane("push", workspace.path("index"), image);
    expect(await pullIntoLayout(image)).toBe(index.digest);
    for (const { platform, digest } of images) {
      expect(await crane("digest", "--platform", `linux/${platform?.architecture ?? ""}`, image)).toBe(digest);
    }

    await crane("push", workspace.path("more"), imageName(repository, ":more"));
    const sources = ["--manifest", image, "--manifest", imageName(repository, ":more")];
    await crane("index", "append", ...sources, "--tag", imageName(repository, ":v2"));
    const { content, mediaType } = await fetchManifest(repository, "v2");
    expect(mediaType).toBe(MANIFEST_TYPES.ociIndex);
    const architectures = content.manifests?.map((manifest) => manifest.platform?.architecture);
    expect(architectures).toEqual(["amd64", "arm64", "riscv64"]);
  });

  test("has equal layers of a second repository mounted from the first", async () => {
    const [first, second] = [repositoryName("crane/mount-from"), repositoryName("crane/mount-to")];
    const { digest } = await writeImageLayout(workspace.path("mount"), "v1", { layers: ["file", "file"] });
    await crane("push", workspace.path("mount"), imageName(first, ":v1"));
    const outcome = await workspace.attempt("crane", ["copy", imageName(first, ":v1"), imageName(second, ":v1")]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stderr.match(/mounted blob/g)?.length).toBeGreaterThanOrEqual(2);
    expect(await pullIntoLayout(imageName(second, ":v1"))).toBe(digest);
  });

  test("tags an image, and lists the tags and the catalog", async () => {
    const repository = repositoryName("crane/tags");
    const { digest } = await writeImageLayout(workspace.path("tags"), "v1", { layers: ["file"] });
    await crane("push", workspace.path("tags"), imageName(repository, ":v1"));
    await crane("tag", imageName(repository, ":v1"), "v2");
    expect(await crane("digest", imageName(repository, ":v2"))).toBe(digest);
    expect((await crane("ls", imageName(repository))).split("\n")).toEqual(["v1", "v2"]);
    expect((await crane("catalog", registry.host)).split("\n")).toContain(repository);
  });

  test("deletes a tag and keeps the image, then deletes the image", async () => {
    const repository = repositoryName("crane/deleted");
    const { digest } = await writeImageLayout(workspace.path("deleted"), "v1", { layers: ["file"] });
    await crane("push", workspace.path("deleted"), imageName(repository, ":v1"));
    await crane("delete", imageName(repository, ":v1"));
    expect(await listTags(repository)).toEqual([]);
    expect(await manifestStatus(repository, digest)).toBe(200);
    await crane("delete", imageName(repository, `@${digest}`));
    expect(await manifestStatus(repository, digest)).toBe(404);
  });
});
