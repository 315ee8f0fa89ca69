import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptLogIn, logIn } from "../support/clients.ts";
import { IMAGE_SHAPES, writeImageLayout, writeIndexLayout } from "../support/images.ts";
import {
  MANIFEST_TYPES,
  digestOf,
  fetchManifest,
  imageName,
  listTags,
  manifestStatus,
  registry,
  repositoryName,
  requestRegistry,
} from "../support/registry.ts";
import type { Descriptor } from "../support/registry.ts";
import { tarOfRandom } from "../support/tar.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

const MEBIBYTE = 1024 ** 2;

describeWithTools("regctl", ["regctl"], () => {
  let workspace: Workspace;
  let stranger: Workspace;
  const regctl = (...args: string[]) => workspace.run("regctl", args);

  beforeAll(async () => {
    workspace = await createWorkspace();
    stranger = await createWorkspace();
    await logIn("regctl", workspace);
  });

  afterAll(async () => {
    await workspace.remove();
    await stranger.remove();
  });

  /** Makes an image of one layer and pushes it under the tag v1. */
  async function pushImage(repository: string): Promise<Descriptor> {
    const image = await writeImageLayout(workspace.path(repository), "v1", { layers: ["file"] });
    await regctl("image", "copy", `ocidir://${workspace.path(repository)}:v1`, imageName(repository, ":v1"));
    return image;
  }

  async function attach(subject: string, artifactType: string, content: string): Promise<string> {
    const options = ["--artifact-type", artifactType, "--format", "{{ .Manifest.GetDescriptor.Digest }}"];
    return await workspace.run("regctl", ["artifact", "put", ...options, "--subject", subject], { input: content });
  }

  async function listReferrers(subject: string, ...options: string[]): Promise<string[]> {
    const format = "{{ range .Descriptors }}{{ println .Digest }}{{ end }}";
    return (await regctl("artifact", "list", "--format", format, ...options, subject)).split("\n");
  }

  test("logs in with the right password and is refused with a wrong one", async () => {
    await logIn("regctl", workspace);
    const refused = await attemptLogIn("regctl", stranger, { password: "wrong" });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/unauthorized|401/i);
  });

  test.for(IMAGE_SHAPES)("copies an image with $title to the registry and back", async ({ title, layers }) => {
    const repository = repositoryName(`regctl/${title.replaceAll(" ", "-")}`);
    const layout = workspace.path(repository);
    const { digest } = await writeImageLayout(layout, "v1", { layers });
    await regctl("image", "copy", `ocidir://${layout}:v1`, imageName(repository, ":v1"));
    expect((await fetchManifest(repository, "v1")).digest).toBe(digest);
    for (const [index, reference] of [":v1", `@${digest}`].entries()) {
      const copy = `ocidir://${workspace.path(repository, `copy-${index}`)}:v1`;
      await regctl("image", "copy", imageName(repository, reference), copy);
      expect(await regctl("image", "digest", copy)).toBe(digest);
    }
  });

  test("pushes, pulls and deletes an image whose every digest is sha512", async () => {
    const repository = repositoryName("regctl/sha512");
    await pushImage(repository);
    const image = imageName(repository, ":sha512");
    await regctl("image", "mod", imageName(repository, ":v1"), "--create", image, "--digest-algo", "sha512");
    const { digest, content } = await fetchManifest(repository, "sha512");
    const digests = [digest, content.config?.digest, ...(content.layers ?? []).map((layer) => layer.digest)];
    for (const each of digests) expect(each).toMatch(/^sha512:[0-9a-f]{128}$/);

    for (const [index, reference] of [":sha512", `@${digest}`].entries()) {
      const copy = `ocidir://${workspace.path(`sha512-${index}`)}:v1`;
      await regctl("image", "copy", imageName(repository, reference), copy);
      expect(await regctl("image", "digest", copy)).toBe(digest);
    }
    await regctl("manifest", "delete", imageName(repository, `@${digest}`));
    expect(await manifestStatus(repository, digest)).toBe(404);
  });

  test("uploads a blob in many chunks and downloads the same", async () => {
    const repository = repositoryName("regctl/chunks");
    const bytes = Buffer.concat([...tarOfRandom("random", 20 * MEBIBYTE)]);
    const chunks = [`--blob-chunk=${MEBIBYTE + 1}`, `--blob-max=${MEBIBYTE}`, "--skip-check"];
    await regctl("registry", "set", registry.host, ...chunks);
    const digest = await workspace.run("regctl", ["blob", "put", imageName(repository)], { input: bytes });
    expect(digest).toBe(digestOf(bytes));

    const downloaded = workspace.path("downloaded");
    await workspace.run("sh", ["-c", `regctl blob get ${imageName(repository)} ${digest} > ${downloaded}`]);
    expect(digestOf(await readFile(downloaded))).toBe(digest);
  });

  test.for([
    { name: "OCI index", mediaType: MANIFEST_TYPES.ociIndex },
    { name: "Docker manifest list", mediaType: MANIFEST_TYPES.dockerList },
  ])("makes an $name of images and resolves each platform of it", async ({ mediaType }) => {
    const repository = repositoryName(`regctl/index-${mediaType === MANIFEST_TYPES.ociIndex ? "oci" : "docker"}`);
    const layout = workspace.path(repository);
    const { index, images } = await writeIndexLayout(layout, "v1", ["amd64", "arm64"]);
    const source = imageName(repository, ":v1");
    await regctl("image", "copy", `ocidir://${layout}:v1`, source);
    expect((await fetchManifest(repository, "v1")).digest).toBe(index.digest);

    const made = imageName(repository, ":v2");
    const platforms = ["--platform", "linux/amd64", "--platform", "linux/arm64"];
    await regctl("index", "create", made, "--media-type", mediaType, "--ref", source, ...platforms);
    expect((await fetchManifest(repository, "v2")).mediaType).toBe(mediaType);
    for (const { platform, digest } of images) {
      const only = ["--platform", `linux/${platform?.architecture ?? ""}`];
      expect(await regctl("image", "digest", ...only, made)).toBe(digest);
    }
  });

  test("attaches artifacts to an image, lists them, and reads one back", async () => {
    const repository = repositoryName("regctl/referrers");
    const subject = imageName(repository, ":v1");
    await pushImage(repository);
    const bill = await attach(subject, "application/spdx+json", "bill of materials");
    const signature = await attach(subject, "application/vnd.example.signature", "signature");
    expect((await listReferrers(subject)).sort()).toEqual([bill, signature].sort());
    expect(await listReferrers(subject, "--filter-artifact-type", "application/spdx+json")).toEqual([bill]);
    expect(await regctl("artifact", "get", imageName(repository, `@${bill}`))).toBe("bill of materials");
    expect(await listTags(repository)).toEqual(["v1"]);
  });

  test("copies an image with its artifacts into a second repository", async () => {
    const [first, second] = [repositoryName("regctl/copy-from"), repositoryName("regctl/copy-to")];
    const { digest } = await pushImage(first);
    const signature = await attach(imageName(first, ":v1"), "application/vnd.example.signature", "signature");
    await regctl("image", "copy", "--referrers", imageName(first, ":v1"), imageName(second, ":v1"));
    expect((await fetchManifest(second, "v1")).digest).toBe(digest);
    expect(await listReferrers(imageName(second, ":v1"))).toEqual([signature]);
  });

  test("deletes a tag, a manifest and a blob, each alone", async () => {
    const repository = repositoryName("regctl/deleted");
    const { digest } = await pushImage(repository);
    await regctl("image", "copy", imageName(repository, ":v1"), imageName(repository, ":v2"));
    await regctl("tag", "delete", imageName(repository, ":v1"));
    expect(await listTags(repository)).toEqual(["v2"]);
    expect(await manifestStatus(repository, digest)).toBe(200);

    await regctl("manifest", "delete", imageName(repository, `@${digest}`));
    expect(await manifestStatus(repository, "v2")).toBe(404);

    await writeFile(workspace.path("loose"), repository);
    const blob = await workspace.run("regctl", ["blob", "put", imageName(repository)], { input: repository });
    await regctl("blob", "delete", imageName(repository), blob);
    expect((await requestRegistry("HEAD", `${repository}/blobs/${blob}`)).status).toBe(404);
  });
});
