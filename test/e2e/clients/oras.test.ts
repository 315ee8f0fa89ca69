import { writeFile } from "node:fs/promises";
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
  requestRegistry,
} from "../support/registry.ts";
import type { Descriptor } from "../support/registry.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

const PLAIN_HTTP = "--plain-http";
const ARTIFACT_TYPE = "application/vnd.example.document";

interface Discovered extends Descriptor {
  readonly referrers: readonly Discovered[];
}

describeWithTools("oras", ["oras"], () => {
  let workspace: Workspace;
  let stranger: Workspace;
  const oras = (...args: string[]) => workspace.run("oras", args, { cwd: workspace.path("tmp") });

  beforeAll(async () => {
    workspace = await createWorkspace();
    stranger = await createWorkspace();
    await logIn("oras", workspace);
  });

  afterAll(async () => {
    await workspace.remove();
    await stranger.remove();
  });

  /** Pushes a text file as an artifact under the tag v1, and answers its digest. */
  async function pushArtifact(repository: string): Promise<string> {
    await writeFile(workspace.path("tmp/document.txt"), repository);
    const type = ["--artifact-type", ARTIFACT_TYPE, "--format", "json"];
    const pushed = await oras("push", PLAIN_HTTP, ...type, imageName(repository, ":v1"), "document.txt:text/plain");
    return (JSON.parse(pushed) as Descriptor).digest;
  }

  /** Attaches a referrer by way of the referrers API alone: no tag stands in for it. */
  async function attach(subject: string, artifactType: string): Promise<string> {
    const options = [PLAIN_HTTP, "--distribution-spec", "v1.1-referrers-api", "--format", "json"];
    const attached = await oras("attach", ...options, "--artifact-type", artifactType, subject, "document.txt");
    return (JSON.parse(attached) as Descriptor).digest;
  }

  async function discover(subject: string, ...options: string[]): Promise<readonly Discovered[]> {
    const how = [PLAIN_HTTP, "--distribution-spec", "v1.1-referrers-api", "--format", "json"];
    return (JSON.parse(await oras("discover", ...how, ...options, subject)) as Discovered).referrers;
  }

  test("logs in with the right password", async () => {
    expect(await logIn("oras", workspace)).toContain("Login Succeeded");
  });

  test("is refused with a wrong password", async () => {
    const outcome = await attemptLogIn("oras", stranger, { password: "wrong" });
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(/unauthorized|401/i);
  });

  test("pushes an artifact and pulls the same file back by tag and by digest", async () => {
    const repository = repositoryName("oras/artifact");
    const digest = await pushArtifact(repository);
    const served = await fetchManifest(repository, "v1");
    expect(served.digest).toBe(digest);
    expect(served.content.artifactType).toBe(ARTIFACT_TYPE);
    for (const reference of [":v1", `@${digest}`]) {
      await oras("pull", PLAIN_HTTP, "--output", "pulled", imageName(repository, reference));
      await workspace.run("cmp", [workspace.path("tmp/document.txt"), workspace.path("tmp/pulled/document.txt")]);
    }
  });

  test.for(IMAGE_SHAPES)("copies an image with $title to the registry and back", async ({ title, layers }) => {
    const repository = repositoryName(`oras/${title.replaceAll(" ", "-")}`);
    const layout = workspace.path(repository);
    const { digest } = await writeImageLayout(layout, "v1", { layers });
    await oras("cp", "--from-oci-layout", "--to-plain-http", `${layout}:v1`, imageName(repository, ":v1"));
    expect((await fetchManifest(repository, "v1")).digest).toBe(digest);
    const copy = `${workspace.path(repository, "copy")}:v1`;
    await oras("cp", "--from-plain-http", "--to-oci-layout", imageName(repository, ":v1"), copy);
    expect(await oras("resolve", "--oci-layout", copy)).toBe(digest);
  });

  test("attaches referrers and discovers them, all or by type", async () => {
    const repository = repositoryName("oras/referrers");
    const subject = imageName(repository, ":v1");
    const digest = await pushArtifact(repository);
    const signature = await attach(subject, "application/vnd.example.signature");
    const report = await attach(subject, "application/vnd.example.report");
    const signedReport = await attach(imageName(repository, `@${report}`), "application/vnd.example.signature");

    const all = await discover(subject);
    expect(all.map((referrer) => referrer.digest).sort()).toEqual([signature, report].sort());
    expect(all.find((referrer) => referrer.digest === report)?.referrers[0]?.digest).toBe(signedReport);
    const reports = await discover(subject, "--artifact-type", "application/vnd.example.report");
    expect(reports.map((referrer) => referrer.digest)).toEqual([report]);
    expect((await fetchManifest(repository, signature)).content.subject?.digest).toBe(digest);
    expect(await listTags(repository)).toEqual(["v1"]);
  });

  test("copies an artifact with its referrers, its blobs mounted", async () => {
    const [first, second] = [repositoryName("oras/mount-from"), repositoryName("oras/mount-to")];
    await pushArtifact(first);
    const signature = await attach(imageName(first, ":v1"), "application/vnd.example.signature");
    const plain = ["--from-plain-http", "--to-plain-http", "--recursive"];
    const output = await oras("cp", ...plain, imageName(first, ":v1"), imageName(second, ":v1"));
    expect(output).toMatch(/Mounted +[0-9a-f]+ document\.txt/);
    const referrers = await discover(imageName(second, ":v1"));
    expect(referrers.map((referrer) => referrer.digest)).toEqual([signature]);
  });

  test("makes an index of images and pulls one platform of it", async () => {
    const repository = repositoryName("oras/index");
    const layout = workspace.path("index");
    const { images } = await writeIndexLayout(layout, "v1", ["amd64", "arm64"]);
    await oras("cp", "--from-oci-layout", "--to-plain-http", `${layout}:v1`, imageName(repository, ":v1"));
    const digests = images.map((image) => image.digest);
    await oras("manifest", "index", "create", PLAIN_HTTP, imageName(repository, ":v2"), ...digests);
    expect((await fetchManifest(repository, "v2")).mediaType).toBe(MANIFEST_TYPES.ociIndex);
    for (const tag of [":v1", ":v2"]) {
      const platform = ["--platform", "linux/arm64"];
      expect(await oras("resolve", PLAIN_HTTP, ...platform, imageName(repository, tag))).toBe(digests[1]);
    }
  });

  test("tags a manifest, and lists the tags and the repositories", async () => {
    const repository = repositoryName("oras/tags");
    const digest = await pushArtifact(repository);
    await oras("tag", PLAIN_HTTP, imageName(repository, ":v1"), "v2", "v3");
    expect(await oras("resolve", PLAIN_HTTP, imageName(repository, ":v3"))).toBe(digest);
    const tags = await oras("repo", "tags", PLAIN_HTTP, imageName(repository));
    expect(tags.split("\n").sort()).toEqual(["v1", "v2", "v3"]);
    const repositories = await oras("repo", "ls", PLAIN_HTTP, registry.host);
    expect(repositories.split("\n")).toContain(repository);
  });

  test("deletes a manifest and a blob", async () => {
    const repository = repositoryName("oras/deleted");
    const digest = await pushArtifact(repository);
    await oras("manifest", "delete", PLAIN_HTTP, "--force", imageName(repository, `@${digest}`));
    expect(await manifestStatus(repository, digest)).toBe(404);

    await writeFile(workspace.path("tmp/loose"), repository);
    const pushed = await oras("blob", "push", PLAIN_HTTP, "--descriptor", imageName(repository), "loose");
    const blob = (JSON.parse(pushed) as Descriptor).digest;
    const blobStatus = async () => (await requestRegistry("HEAD", `${repository}/blobs/${blob}`)).status;
    expect(await blobStatus()).toBe(200);
    await oras("blob", "delete", PLAIN_HTTP, "--force", imageName(repository, `@${blob}`));
    expect(await blobStatus()).toBe(404);
  });
});
