import { describe, expect, it } from "vitest";
import { blobName, indexJson, layoutBlobs, makeSavedImage, manifestOf, oldStyle } from "../support/archives.ts";
import { digestOf, toBytes } from "../support/content.ts";
import {
  type Descriptor,
  image,
  index,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  pushBlob,
  pushManifest,
} from "../support/images.ts";
import { expectRefused } from "../support/refused-archives.ts";
import { expectError, expectStatus, freshRepository, send } from "../support/registry.ts";
import { makeTar, type TarContent } from "../support/tars.ts";

const PADDED_BYTES = 3_900_000;

/** So large that three of them are more than a request may hold. */
const padding = () => ({ annotations: { id: crypto.randomUUID(), padding: "x".repeat(PADDED_BYTES) } });

/** An image layout of one image, which an index lists that lists this many large manifests beside it. */
async function paddedLayout(count: number): Promise<Record<string, TarContent>> {
  const saved = await makeSavedImage([100]);
  const { content, descriptor } = await manifestOf(saved);
  const files = await layoutBlobs(saved);
  const listed: Descriptor[] = [descriptor];
  const add = async (manifest: object, mediaType: string): Promise<Descriptor> => {
    const bytes = toBytes(JSON.stringify(manifest));
    const digest = await digestOf(bytes);
    files[blobName(digest)] = bytes;
    return { mediaType, digest, size: bytes.byteLength };
  };
  for (let i = 0; i < count; i += 1) {
    listed.push(await add({ ...(JSON.parse(content) as object), ...padding() }, OCI_MANIFEST));
  }
  const root = await add(index(listed), OCI_INDEX);
  return { ...files, "index.json": indexJson([root]) };
}

describe("manifests of an archive that comes in", () => {
  it("may have 8 MiB together", async () => {
    const body = makeTar(await paddedLayout(2));
    await expectStatus(await send("PUT", `/archive/${freshRepository()}:v1`, { body }), 201);
  });

  it("are refused beyond that", async () => {
    const message = await expectRefused(makeTar(await paddedLayout(3)), 400, "MANIFEST_INVALID");
    expect(message).toContain("lists too much for one archive");
  });
});

describe("manifests of an archive that is asked for", () => {
  const repository = freshRepository();
  const tags = ["v0", "v1", "v2"];
  const named = (...others: string[]) => others.map((tag) => `image=${repository}:${tag}`).join("&");
  let pushed: Promise<Descriptor[]> | undefined;

  const pushAll = async () => {
    const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
    const manifests: Descriptor[] = [];
    for (const tag of tags) manifests.push(await pushManifest(repository, image(config, [], padding()), { tag }));
    await pushManifest(repository, index(manifests.slice(0, 2)), { tag: "two" });
    await pushManifest(repository, index(manifests), { tag: "three" });
    return manifests;
  };

  it.each([
    ["one image", `v0.tar?format=oci`],
    ["two images", `v0.tar?format=oci&${named("v1")}`],
    ["an index of two", `two.tar?format=oci`],
  ])("may have 8 MiB together: %s", async (_what, rest) => {
    await (pushed ??= pushAll());
    await expectStatus(await send("HEAD", `/archive/${repository}:${rest}`), 200);
  });

  it.each([
    ["three images", `v0.tar?format=oci&${named("v1", "v2")}`],
    ["an index of three", `three.tar?format=oci`],
    ["an index of two and an image", `two.tar?format=oci&${named("v2")}`],
    ["an image and an index of two", `v2.tar?format=oci&${named("two")}`],
  ])("are refused beyond that: %s", async (_what, rest) => {
    await (pushed ??= pushAll());
    const response = await send("GET", `/archive/${repository}:${rest}`);
    expect((await expectError(response, 400, "REQUEST_INVALID")).message).toContain("too much for one archive");
  });
});

describe("files of an archive that go to R2", () => {
  it("are refused beyond 500, when memory is full of small ones", async () => {
    const files: Record<string, TarContent> = {};
    for (let i = 0; i < 64; i += 1) files[`full/${i}`] = new Uint8Array(64 * 1024);
    for (let i = 0; i <= 500; i += 1) files[`small/${i}`] = "x";
    const archive = makeTar({ ...files, ...oldStyle({ "hello:1": await makeSavedImage([100]) }) });
    expect(await expectRefused(archive, 400, "SIZE_INVALID")).toContain("more than 500 files");
  });

  it("are refused beyond 500, when a manifest lists as many small ones", async () => {
    const saved = await makeSavedImage(Array<number>(500).fill(10));
    const { descriptor } = await manifestOf(saved);
    const files = { ...(await layoutBlobs(saved)), "index.json": indexJson([descriptor]) };
    expect(await expectRefused(makeTar(files), 400, "SIZE_INVALID")).toContain("more than 500 files");
  });
});
