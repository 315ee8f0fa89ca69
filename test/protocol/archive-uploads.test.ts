import { describe, expect, it } from "vitest";
import {
  blobName,
  indexJson,
  layoutBlobs,
  LAYOUT,
  makeSavedImage,
  manifestOf,
  newStyle,
  oldStyle,
  type SavedImage,
} from "../support/archives.ts";
import { digestOf, makeBytes } from "../support/content.ts";
import { DOCKER_MANIFEST, index, OCI_INDEX, OCI_MANIFEST, pushImage } from "../support/images.ts";
import { addAccount, sendAs } from "../support/people.ts";
import { expectError, expectStatus, freshRepository, send, sendAnonymously } from "../support/registry.ts";
import { gzip, join, makeTar, type TarContent } from "../support/tars.ts";
import { expectBlob, rows, streamOf } from "../support/uploads.ts";
import { ZSTD_ARCHIVE } from "../support/zstd-archive.ts";

interface Loaded {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly manifests: string[];
  readonly blobs: { readonly digest: string; readonly size: number }[];
}

interface Manifest {
  readonly config: { readonly digest: string; readonly mediaType: string };
  readonly layers: { readonly digest: string; readonly mediaType: string; readonly size: number }[];
}

const put = async (path: string, body: Uint8Array | ReadableStream) => await send("PUT", `/archive/${path}`, { body });

async function load(path: string, archive: Uint8Array | ReadableStream): Promise<Loaded> {
  const response = await expectStatus(await put(path, archive), 201);
  const loaded = await response.json<Loaded>();
  expect(response.headers.get("Docker-Content-Digest")).toBe(loaded.digest);
  expect(response.headers.get("Location")).toBe(`/v2/${loaded.repository}/manifests/${loaded.digest}`);
  return loaded;
}

async function manifestAt(repository: string, reference: string): Promise<Manifest> {
  const response = await expectStatus(await send("GET", `/v2/${repository}/manifests/${reference}`), 200);
  return await response.json<Manifest>();
}

/** The tag names the image, and all of it can be pulled, byte for byte. */
async function expectImage(repository: string, tag: string, saved: SavedImage): Promise<Manifest> {
  const manifest = await manifestAt(repository, tag);
  expect(manifest.config.digest).toBe(saved.configDigest);
  expect(manifest.layers.map(({ digest }) => digest)).toEqual(saved.layers.map(({ digest }) => digest));
  await expectBlob(repository, saved.configDigest, new TextEncoder().encode(saved.config));
  for (const { digest, bytes } of saved.layers) await expectBlob(repository, digest, bytes);
  return manifest;
}

describe("an archive that docker saved", () => {
  it("before version 25 becomes an image of Docker's schema 2, its layers as they are", async () => {
    const repository = freshRepository();
    const saved = await makeSavedImage();
    const loaded = await load(`${repository}:v1`, makeTar(oldStyle({ "hello:1": saved })));
    const manifest = await expectImage(repository, "v1", saved);
    expect(loaded).toMatchObject({ repository, tag: "v1", mediaType: DOCKER_MANIFEST, manifests: [loaded.digest] });
    expect(loaded.blobs.map(({ digest }) => digest).sort()).toEqual(
      [saved.configDigest, ...saved.layers.map(({ digest }) => digest)].sort(),
    );
    expect(manifest.config.mediaType).toBe("application/vnd.docker.container.image.v1+json");
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual(
      Array(2).fill("application/vnd.docker.image.rootfs.diff.tar"),
    );
  });

  it("from version 25 on becomes the image that it says it is", async () => {
    const repository = freshRepository();
    const saved = await makeSavedImage();
    const loaded = await load(`${repository}:v1`, makeTar(await newStyle(saved, "hello:1")));
    await expectImage(repository, "v1", saved);
    expect(loaded).toMatchObject({ digest: (await manifestOf(saved)).digest, mediaType: OCI_MANIFEST });
  });

  it.each([
    ["as it is", async (bytes: Uint8Array) => await Promise.resolve(bytes)],
    ["with gzip", gzip],
  ])("comes %s, and without a length", async (_how, pack) => {
    const repository = freshRepository();
    const saved = await makeSavedImage([10, 300_000, 70_000]);
    await load(`${repository}:v1.tar`, streamOf(await pack(makeTar(oldStyle({ "hello:1": saved })))));
    await expectImage(repository, "v1", saved);
  });

  it("comes with zstd", async () => {
    const repository = freshRepository();
    for (const body of [ZSTD_ARCHIVE.bytes, streamOf(ZSTD_ARCHIVE.bytes, 7)]) {
      const { blobs } = await load(`${repository}:v1`, body);
      expect(blobs.map(({ digest }) => digest)).toEqual([ZSTD_ARCHIVE.config, ZSTD_ARCHIVE.layer]);
    }
  });

  it("comes with zstd in blocks however small", async () => {
    const repository = freshRepository();
    const saved = await makeSavedImage();
    const bytes = makeTar(oldStyle({ "hello:1": saved }));
    const ends = [1, 2, 3, 4, 5, 20, 100_000, bytes.byteLength];
    const blocks = ends.map((end, i) => {
      const content = bytes.subarray(ends[i - 1] ?? 0, end);
      const header = content.byteLength * 8 + Number(end === bytes.byteLength);
      return join(Uint8Array.of(header & 255, (header >> 8) & 255, header >> 16), content);
    });
    // A frame of blocks that are not packed, with a window of 1 MiB.
    await load(`${repository}:v1`, join(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3), ...blocks));
    await expectImage(repository, "v1", saved);
  });

  it("may hold large files that are of no use, and none of them stays", async () => {
    const repository = freshRepository();
    const saved = await makeSavedImage([100]);
    const discarded = async () => (await rows("SELECT 1 FROM discarded_objects")).length;
    const before = await discarded();
    await load(`${repository}:v1`, makeTar({ ...oldStyle({ "hello:1": saved }), useless: makeBytes(100_000) }));
    expect(await discarded()).toBe(before + 1);
  });

  it("has equal layers once, where others are links to the first", async () => {
    const repository = freshRepository();
    const { layers: one } = await makeSavedImage([100]);
    const layers = [one[0]!, one[0]!];
    const config = JSON.stringify({ rootfs: { diff_ids: layers.map(({ digest }) => digest) } });
    const saved = { config, configDigest: await digestOf(config), layers };
    const files = oldStyle({ "hello:1": saved });
    expect(Object.values(files)).toContainEqual({ link: expect.stringMatching(/^\.\.\/.*layer\.tar$/) as string });
    await load(`${repository}:v1`, makeTar(files));
    await expectImage(repository, "v1", saved);
  });

  it("has packed layers, which stay so", async () => {
    const repository = freshRepository();
    const { config, configDigest, layers } = await makeSavedImage([100, 70_000]);
    const packed = await Promise.all(layers.map(async ({ bytes }) => await gzip(bytes)));
    const paths = packed.map((_bytes, i) => `${i}.tar`);
    const files = {
      ...Object.fromEntries(packed.map((bytes, i) => [paths[i]!, bytes])),
      "manifest.json": JSON.stringify([{ Config: "c.json", RepoTags: null, Layers: paths }]),
      "c.json": config,
    };
    await load(`${repository}:v1`, makeTar(files));
    const manifest = await manifestAt(repository, "v1");
    expect(manifest.config.digest).toBe(configDigest);
    expect(manifest.layers).toEqual(
      await Promise.all(
        packed.map(async (bytes) => ({
          mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
          ...{ size: bytes.byteLength, digest: await digestOf(bytes) },
        })),
      ),
    );
  });

  it("with a layer in zstd becomes an OCI image, since Docker's schema has no word for it", async () => {
    const repository = freshRepository();
    const files = {
      "c.json": JSON.stringify({ rootfs: { diff_ids: [`sha256:${"0".repeat(64)}`] } }),
      "l.tar": ZSTD_ARCHIVE.bytes,
      "manifest.json": JSON.stringify([{ Config: "c.json", Layers: ["l.tar"] }]),
    };
    expect(await load(`${repository}:v1`, makeTar(files))).toMatchObject({ mediaType: OCI_MANIFEST });
    const { layers } = await manifestAt(repository, "v1");
    expect(layers[0]!.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+zstd");
  });

  it("of several images gives the one that is named, or says their names", async () => {
    const repository = freshRepository();
    const [one, two] = [await makeSavedImage([100]), await makeSavedImage([100])];
    const archive = makeTar(oldStyle({ "registry.test/team/one:1": one, "two:latest": two }));
    const { detail, message } = await expectError(await put(`${repository}:v1`, archive), 400, "MANIFEST_INVALID");
    expect(detail).toEqual({ images: ["registry.test/team/one:1", "two:latest"] });
    expect(message).toContain("?image=");
    await expectError(await put(`${repository}:v1?image=three`, archive), 400, "MANIFEST_INVALID");
    await load(`${repository}:one?image=registry.test/team/one:1`, archive);
    await expectImage(repository, "one", one);
    for (const name of ["two", "two:latest", "docker.io/library/two"]) {
      await load(`${repository}:two?image=${name}`, archive);
      await expectImage(repository, "two", two);
    }
  });

  it("by another name is the same image: one is enough to have it", async () => {
    const repository = freshRepository();
    const saved = await makeSavedImage([100]);
    const files = oldStyle({ "hello:1": saved });
    const [entry] = JSON.parse(files["manifest.json"] as string) as object[];
    const twice = JSON.stringify([
      { ...entry, RepoTags: ["hello:1"] },
      { ...entry, RepoTags: ["hello:2"] },
    ]);
    await load(`${repository}:v1`, makeTar({ ...files, "manifest.json": twice }));
    await expectImage(repository, "v1", saved);
  });

  it("whose layout lacks a platform that its index lists gives the image that is there", async () => {
    const repository = freshRepository();
    const saved = await makeSavedImage([100]);
    const files = await newStyle(saved, "hello:1");
    const other = { mediaType: OCI_MANIFEST, digest: `sha256:${"1".repeat(64)}`, size: 100 };
    const both = JSON.stringify(index([(await manifestOf(saved)).descriptor, other]));
    const descriptor = { mediaType: OCI_INDEX, digest: await digestOf(both), size: both.length };
    await load(
      `${repository}:v1`,
      makeTar({ ...files, [blobName(descriptor.digest)]: both, "index.json": indexJson([descriptor]) }),
    );
    await expectImage(repository, "v1", saved);
  });
});

describe("an image layout", () => {
  const layoutOf = async (image: SavedImage, annotations?: Record<string, string>) => {
    const { descriptor } = await manifestOf(image);
    return { blobs: await layoutBlobs(image), entry: annotations ? { ...descriptor, annotations } : descriptor };
  };
  const refName = (name: string) => ({ "org.opencontainers.image.ref.name": name });

  it("of an index brings all that it lists, the tag names the index, and signatures come along", async () => {
    const repository = freshRepository();
    const [amd64, arm64] = [await makeSavedImage([100]), await makeSavedImage([100], "arm64")];
    const [one, two] = [await layoutOf(amd64), await layoutOf(arm64)];
    const list = JSON.stringify(index([one.entry, two.entry]));
    const root = { mediaType: OCI_INDEX, digest: await digestOf(list), size: list.length };
    const signature = JSON.stringify({
      ...{ schemaVersion: 2, mediaType: OCI_MANIFEST, subject: root, layers: [] },
      config: { mediaType: "text/x", digest: amd64.configDigest, size: amd64.config.length },
    });
    const signed = { mediaType: OCI_MANIFEST, digest: await digestOf(signature), size: signature.length };
    const loaded = await load(
      `${repository}:all`,
      makeTar({
        ...LAYOUT,
        "index.json": indexJson([{ ...root, annotations: refName("all") }, signed]),
        ...{ ...one.blobs, ...two.blobs, [blobName(root.digest)]: list, [blobName(signed.digest)]: signature },
      }),
    );
    expect(loaded).toMatchObject({ digest: root.digest, mediaType: OCI_INDEX });
    expect(loaded.manifests).toEqual([signed.digest, one.entry.digest, two.entry.digest, root.digest]);
    for (const [{ entry }, image] of [
      [one, amd64],
      [two, arm64],
    ] as const) {
      await expectImage(repository, entry.digest, image);
    }
    const referrers = await send("GET", `/v2/${repository}/referrers/${root.digest}`);
    expect(await referrers.json()).toMatchObject({ manifests: [{ digest: signed.digest }] });
  });

  it("of several images gives the one that is named", async () => {
    const repository = freshRepository();
    const images = [await makeSavedImage([100]), await makeSavedImage([100])];
    const [one, two] = [await layoutOf(images[0]!, refName("one")), await layoutOf(images[1]!, refName("two"))];
    const archive = makeTar({ ...LAYOUT, ...one.blobs, ...two.blobs, "index.json": indexJson([one.entry, two.entry]) });
    await expectError(await put(`${repository}:v1`, archive), 400, "MANIFEST_INVALID");
    const { manifests } = await load(`${repository}:v1?image=two`, archive);
    expect(manifests).toEqual([two.entry.digest]);
    await load(`${repository}:v2?image=${one.entry.digest}`, archive);
    await expectImage(repository, "v2", images[0]!);
  });

  it("may lack what the repository has, and nothing else", async () => {
    const repository = freshRepository();
    const saved = await makeSavedImage([100, 200]);
    const { blobs, entry } = await layoutOf(saved);
    const [first] = saved.layers;
    const files: Record<string, TarContent> = { ...blobs, "index.json": indexJson([entry]) };
    const partial = makeTar(
      Object.fromEntries(Object.entries(files).filter(([name]) => name !== blobName(first!.digest))),
    );
    const { detail } = await expectError(await put(`${repository}:v1`, partial), 404, "MANIFEST_BLOB_UNKNOWN");
    expect(detail).toEqual([{ digest: first!.digest }]);
    await load(`${repository}:whole`, makeTar(files));
    await load(`${repository}:v1`, partial);
    await expectImage(repository, "v1", saved);
  });

  it("is what came out of the registry, and comes back the same", async () => {
    const [from, to] = [freshRepository(), freshRepository()];
    const saved = await makeSavedImage();
    const { digest } = await load(`${from}:v1`, makeTar(await newStyle(saved, "hello:1")));
    for (const format of ["docker", "oci"]) {
      const archive = await send("GET", `/archive/${from}:v1.tar?format=${format}`);
      expect((await load(`${to}:${format}`, archive.body!)).digest).toBe(digest);
    }
  });
});

describe("who may push an archive", () => {
  it("is who may push to the repository", async () => {
    const repository = freshRepository();
    const archive = makeTar(oldStyle({ "hello:1": await makeSavedImage([100]) }));
    const [puller, pusher] = [
      await addAccount({ [repository]: ["pull"] }),
      await addAccount({ [repository]: ["pull", "push"] }),
    ];
    const path = `/archive/${repository}:v1`;
    const challenge = await sendAnonymously("PUT", path, { body: archive });
    expect(challenge.headers.get("WWW-Authenticate")).toContain(`scope="repository:${repository}:pull,push"`);
    await expectError(challenge, 401, "UNAUTHORIZED");
    await expectError(await sendAs(puller, "PUT", path, { body: archive }), 403, "DENIED");
    await expectStatus(await sendAs(pusher, "PUT", path, { body: archive }), 201);
  });

  it("cannot move a tag that is immutable", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1" });
    await expectStatus(
      await send("PATCH", `/api/repositories/${repository}`, { body: JSON.stringify({ immutableTags: true }) }),
      200,
    );
    const archive = makeTar(oldStyle({ "hello:1": await makeSavedImage([100]) }));
    await expectError(await put(`${repository}:v1`, archive), 403, "DENIED");
  });

  it.each([
    ["a digest", (repository: string) => `${repository}@sha256:${"0".repeat(64)}`, "TAG_INVALID"],
    ["no tag", (repository: string) => repository, "TAG_INVALID"],
    ["two images of the archive", (repository: string) => `${repository}:v1?image=a&image=b`, "REQUEST_INVALID"],
  ])("cannot push to %s", async (_what, pathOf, code) => {
    const archive = makeTar(oldStyle({ "hello:1": await makeSavedImage([100]) }));
    await expectError(await put(pathOf(freshRepository()), archive), 400, code);
  });
});
