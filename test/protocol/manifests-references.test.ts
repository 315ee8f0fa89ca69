import { describe, expect, it } from "vitest";
import {
  absent,
  type Descriptor,
  digestOf,
  image,
  index,
  OCI_ARTIFACT,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_MANIFEST,
  pushBlob,
  pushImage,
  pushManifest,
  putManifest,
  serialise,
} from "../support/images.ts";
import { expectError, expectStatus, freshRepository, send, sendWith } from "../support/registry.ts";

async function putSparse(sparse: string, repository: string, manifest: object): Promise<Response> {
  const { mediaType } = manifest as { mediaType: string };
  return await sendWith({ SPARSE_MANIFESTS: sparse }, "PUT", `/v2/${repository}/manifests/sparse`, {
    body: serialise(manifest),
    headers: { "Content-Type": mediaType },
  });
}

describe("what is missing", () => {
  it("keeps an image out, which names each digest once", async () => {
    const repository = freshRepository();
    const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
    const [one, two] = [await absent(), await absent()];
    const response = await putManifest(repository, "v1", image(config, [one, two, one]));
    const { detail } = await expectError(response, 404, "MANIFEST_BLOB_UNKNOWN");
    expect(detail).toEqual([{ digest: one.digest }, { digest: two.digest }]);
    await expectError(await send("GET", `/v2/${repository}/manifests/v1`), 404, "MANIFEST_UNKNOWN");
  });

  it("may be the config", async () => {
    const repository = freshRepository();
    const config = await absent(OCI_CONFIG);
    const { detail, message } = await expectError(
      await putManifest(repository, "v1", image(config)),
      404,
      "MANIFEST_BLOB_UNKNOWN",
    );
    expect(detail).toEqual([{ digest: config.digest }]);
    expect(message).toContain(config.digest);
    await expectError(await send("GET", `/v2/${repository}/tags/list`), 404, "NAME_UNKNOWN");
  });

  it("keeps an index out, and an artifact manifest", async () => {
    const repository = freshRepository();
    const [child, blob] = [await absent(OCI_MANIFEST), await absent()];
    const listed = await putManifest(repository, "v1", index([child]), OCI_INDEX);
    expect((await expectError(listed, 404, "MANIFEST_BLOB_UNKNOWN")).detail).toEqual([{ digest: child.digest }]);
    const artifact = { mediaType: OCI_ARTIFACT, artifactType: "a/b", blobs: [blob] };
    await expectError(await putManifest(repository, "v1", artifact, OCI_ARTIFACT), 404, "MANIFEST_BLOB_UNKNOWN");
  });

  it("is missing too where only another repository holds it", async () => {
    const [here, there] = [freshRepository(), freshRepository()];
    const config = await pushBlob(there, crypto.randomUUID(), { mediaType: OCI_CONFIG });
    const child = await pushImage(there);
    await pushBlob(here, "something");
    await expectError(await putManifest(here, "v1", image(config)), 404, "MANIFEST_BLOB_UNKNOWN");
    await expectError(await putManifest(here, "v1", index([child]), OCI_INDEX), 404, "MANIFEST_BLOB_UNKNOWN");
  });

  it("is a manifest where a layer is wanted", async () => {
    const repository = freshRepository();
    const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
    const child = await pushImage(repository);
    await expectError(await putManifest(repository, "v1", image(config, [child])), 404, "MANIFEST_BLOB_UNKNOWN");
  });

  it("may be hundreds of layers", async () => {
    const repository = freshRepository();
    const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
    const layers = await Promise.all(Array.from({ length: 300 }, async () => await absent()));
    const response = await putManifest(repository, "v1", image(config, layers));
    const { detail } = await expectError(response, 404, "MANIFEST_BLOB_UNKNOWN");
    expect(detail).toHaveLength(300);
  });
});

describe("what need not be there", () => {
  it("is the subject", async () => {
    const repository = freshRepository();
    const subject = await absent(OCI_MANIFEST);
    const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
    const response = await expectStatus(await putManifest(repository, "v1", image(config, [], { subject })), 201);
    expect(response.headers.get("OCI-Subject")).toBe(subject.digest);
  });

  it.each([
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
  ])("is a layer of %s", async (mediaType) => {
    const repository = freshRepository();
    const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
    await expectStatus(await putManifest(repository, "v1", image(config, [await absent(mediaType)])), 201);
    await expectError(
      await putManifest(repository, "v1", image(await absent(mediaType))),
      404,
      "MANIFEST_BLOB_UNKNOWN",
    );
  });
});

describe("a descriptor of another size than its content", () => {
  it("keeps an image out, and says which", async () => {
    const repository = freshRepository();
    const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
    for (const wrong of [image({ ...config, size: 3 }), image(config, [{ ...config, size: 1 }])]) {
      const response = await putManifest(repository, "v1", wrong);
      const { detail } = await expectError(response, 400, "SIZE_INVALID");
      expect(detail).toMatchObject([{ digest: config.digest, storedSize: 2 }]);
    }
  });

  it.each(["none", "index", "all"])("keeps an index out under SPARSE_MANIFESTS=%s", async (sparse) => {
    const repository = freshRepository();
    const child = await pushImage(repository);
    const response = await putSparse(sparse, repository, index([{ ...child, size: child.size + 1 }]));
    await expectError(response, 400, "SIZE_INVALID");
  });
});

it("accepts a cache index of BuildKit, which lists layers among its manifests", async () => {
  const repository = freshRepository();
  const config = await pushBlob(repository, "{}", { mediaType: "application/vnd.buildkit.cacheconfig.v0" });
  const layer = await pushBlob(repository, "cached", { mediaType: OCI_LAYER });
  const { digest } = await pushManifest(repository, index([layer, config]), { tag: "cache" });
  await expectError(await send("DELETE", `/v2/${repository}/blobs/${layer.digest}`), 405, "UNSUPPORTED");
  await expectStatus(await send("DELETE", `/v2/${repository}/manifests/${digest}`), 202);
});

it("accepts references by sha512, and both kinds in one", async () => {
  const repository = freshRepository();
  const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG, algorithm: "sha512" });
  const layers = [await pushBlob(repository, "1", { algorithm: "sha512" }), await pushBlob(repository, "2")];
  const child = await pushManifest(repository, image(config, layers), { algorithm: "sha512" });
  await pushManifest(repository, index([child]), { tag: "v1" });
  expect(child.digest).toMatch(/^sha512:/);
});

it("knows the same bytes by each digest of theirs", async () => {
  const repository = freshRepository();
  const manifest = image(await pushBlob(repository, "{}", { mediaType: OCI_CONFIG }));
  const both = [
    await pushManifest(repository, manifest),
    await pushManifest(repository, manifest, { algorithm: "sha512" }),
  ];
  for (const { digest } of both) expect((await send("GET", `/v2/${repository}/manifests/${digest}`)).status).toBe(200);
});

it("accepts an image of many layers, some of them equal", async () => {
  const repository = freshRepository();
  const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
  const layer = await pushBlob(repository, "one layer");
  const empty = await pushBlob(repository, "");
  await pushManifest(repository, image(config, [...Array<Descriptor>(200).fill(layer), empty]), { tag: "v1" });
});

it("accepts a second push of what it holds", async () => {
  const repository = freshRepository();
  const manifest = image(await pushBlob(repository, "{}", { mediaType: OCI_CONFIG }));
  const first = await pushManifest(repository, manifest, { tag: "v1" });
  expect(await pushManifest(repository, manifest, { tag: "v1" })).toEqual(first);
});

describe("SPARSE_MANIFESTS", () => {
  it.each<[string, "image" | "index", boolean]>([
    ["none", "image", false],
    ["none", "index", false],
    ["index", "image", false],
    ["index", "index", true],
    ["all", "image", true],
    ["all", "index", true],
  ])("%s lets a sparse %s in: %s", async (sparse, kind, accepted) => {
    const repository = freshRepository();
    const manifest =
      kind === "image" ? image(await absent(OCI_CONFIG), [await absent()]) : index([await absent(OCI_MANIFEST)]);
    const response = await putSparse(sparse, repository, manifest);
    if (!accepted) {
      await expectError(response, 404, "MANIFEST_BLOB_UNKNOWN");
      return;
    }
    await expectStatus(response, 201);
    const pulled = await expectStatus(await send("GET", `/v2/${repository}/manifests/sparse`), 200);
    expect(await digestOf(new Uint8Array(await pulled.arrayBuffer()))).toBe(
      response.headers.get("Docker-Content-Digest"),
    );
  });
});
