import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptLogIn, logIn } from "../support/clients.ts";
import { GIBIBYTE, IMAGE_SHAPES, writeImageLayout, writeIndexLayout } from "../support/images.ts";
import {
  MANIFEST_TYPES,
  fetchManifest,
  imageName,
  listTags,
  manifestStatus,
  repositoryName,
} from "../support/registry.ts";
import type { Descriptor, ManifestContent } from "../support/registry.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

describeWithTools("skopeo", ["skopeo", "umoci"], () => {
  let workspace: Workspace;
  let stranger: Workspace;
  const skopeo = (...args: string[]) => workspace.run("skopeo", args);

  beforeAll(async () => {
    workspace = await createWorkspace();
    stranger = await createWorkspace();
    await logIn("skopeo", workspace);
  });

  afterAll(async () => {
    await workspace.remove();
    await stranger.remove();
  });

  const push = (layout: string, repository: string, ...options: string[]) =>
    skopeo("copy", "--quiet", "--dest-tls-verify=false", ...options, `oci:${layout}:v1`, remote(repository, ":v1"));

  const pull = (from: string, layout: string, ...options: string[]) =>
    skopeo("copy", "--quiet", "--src-tls-verify=false", ...options, from, `oci:${layout}:v1`);

  test("logs in with the right password", async () => {
    expect(await logIn("skopeo", workspace)).toContain("Login Succeeded");
  });

  test("is refused with a wrong password", async () => {
    const outcome = await attemptLogIn("skopeo", stranger, { password: "wrong" });
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(/invalid username\/password|unauthorized/i);
  });

  test.for([...IMAGE_SHAPES, { title: "1 GiB of random bytes", layers: [{ randomBytes: GIBIBYTE }] }])(
    "copies an image with $title to the registry and back with every digest kept",
    async ({ title, layers }) => {
      const repository = repositoryName(`skopeo/${title.toLowerCase().replaceAll(" ", "-")}`);
      const image = await writeImageLayout(workspace.path(repository), "v1", { layers });
      await push(workspace.path(repository), repository, "--preserve-digests");
      expect((await fetchManifest(repository, "v1")).digest).toBe(image.digest);

      const copies = [":v1", `@${image.digest}`].map((reference, index) => ({ reference, folder: `copy-${index}` }));
      for (const { reference, folder } of title.includes("GiB") ? copies.slice(0, 1) : copies) {
        const copy = workspace.path(repository, folder);
        await pull(remote(repository, reference), copy, "--preserve-digests");
        expect((await readIndex(copy)).digest).toBe(image.digest);
      }
      await workspace.run("rm", ["-r", workspace.path(repository)]);
    },
  );

  test("converts an image to schema 2 on its way in", async () => {
    const repository = repositoryName("skopeo/schema-2");
    const layout = workspace.path("schema-2");
    await writeImageLayout(layout, "v1", { layers: ["file", "file"] });
    await push(layout, repository, "--format", "v2s2");
    const served = await fetchManifest(repository, "v1");
    expect(served.mediaType).toBe(MANIFEST_TYPES.dockerManifest);
    const inspected = JSON.parse(await skopeo("inspect", "--tls-verify=false", remote(repository, ":v1"))) as {
      Digest: string;
    };
    expect(inspected.Digest).toBe(served.digest);
  });

  test("copies every platform of an index with --all, and one of them without", async () => {
    const repository = repositoryName("skopeo/index");
    const { index, images } = await writeIndexLayout(workspace.path("index"), "v1", ["amd64", "arm64"]);
    await push(workspace.path("index"), repository, "--all", "--preserve-digests");
    expect((await fetchManifest(repository, "v1")).digest).toBe(index.digest);
    for (const image of images) expect(await manifestStatus(repository, image.digest)).toBe(200);

    await pull(remote(repository, ":v1"), workspace.path("all"), "--all", "--preserve-digests");
    expect((await readIndex(workspace.path("all"))).digest).toBe(index.digest);
    await workspace.run("skopeo", [
      ...["--override-arch", "arm64", "copy", "--quiet", "--src-tls-verify=false"],
      ...[remote(repository, ":v1"), `oci:${workspace.path("arm64")}:v1`],
    ]);
    expect((await readIndex(workspace.path("arm64"))).digest).toBe(images[1]?.digest);
  });

  test("has equal layers of a second repository mounted from the first", async () => {
    const [first, second] = [repositoryName("skopeo/mount-from"), repositoryName("skopeo/mount-to")];
    const image = await writeImageLayout(workspace.path("mount"), "v1", { layers: ["file", "file"] });
    await push(workspace.path("mount"), first, "--preserve-digests");
    const outcome = await workspace.attempt("skopeo", [
      ...["--debug", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--preserve-digests"],
      ...[remote(first, ":v1"), remote(second, ":v1")],
    ]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stderr.match(/mount OK/g)?.length).toBeGreaterThanOrEqual(2);
    expect((await fetchManifest(second, "v1")).digest).toBe(image.digest);
  });

  test("copies an image that umoci made, and umoci unpacks what comes back", async () => {
    const repository = repositoryName("skopeo/umoci");
    const [layout, copy] = [workspace.path("umoci"), workspace.path("umoci-copy")];
    await workspace.run("umoci", ["init", "--layout", layout]);
    await workspace.run("umoci", ["new", "--image", `${layout}:v1`]);
    await workspace.run("umoci", ["insert", "--image", `${layout}:v1`, process.execPath, "/bin/node"]);
    await push(layout, repository, "--preserve-digests");
    await pull(remote(repository, ":v1"), copy, "--preserve-digests");
    expect((await readIndex(copy)).digest).toBe((await readIndex(layout)).digest);

    await workspace.run("umoci", ["raw", "unpack", "--image", `${copy}:v1`, workspace.path("rootfs")]);
    await workspace.run("cmp", [process.execPath, workspace.path("rootfs/bin/node")]);
  });

  test("lists the tags of a repository and deletes an image", async () => {
    const repository = repositoryName("skopeo/deleted");
    const image = await writeImageLayout(workspace.path("deleted"), "v1", { layers: ["file"] });
    await push(workspace.path("deleted"), repository, "--preserve-digests");
    const listed = await skopeo("list-tags", "--tls-verify=false", remote(repository));
    expect((JSON.parse(listed) as { Tags: string[] }).Tags).toEqual(["v1"]);

    await skopeo("delete", "--tls-verify=false", remote(repository, ":v1"));
    expect(await manifestStatus(repository, image.digest)).toBe(404);
    expect(await listTags(repository)).toEqual([]);
  });
});

function remote(repository: string, reference = ""): string {
  return `docker://${imageName(repository, reference)}`;
}

/** What a layout with one tag holds under that tag. */
async function readIndex(layout: string): Promise<Descriptor> {
  const { manifests } = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as ManifestContent;
  const descriptor = manifests?.at(-1);
  if (descriptor === undefined) throw new Error(`${layout} is empty`);
  return descriptor;
}
