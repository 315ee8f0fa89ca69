import { beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../support/content.ts";
import { absent, type Descriptor, image, index, pushBlob, pushManifest, randomBytes } from "../support/images.ts";
import { addAccount, bearerOf, sendAs, setVisibility } from "../support/people.ts";
import { expectError, expectStatus, freshRepository, ORIGIN, send, sendAnonymously } from "../support/registry.ts";
import { blobName, pushConfig, pushRunnable } from "../support/archives.ts";
import { readTarFiles } from "../support/tars.ts";

const HOST = new URL(ORIGIN).host;

type Json = Record<string, unknown>;

const repository = freshRepository();
let only: Awaited<ReturnType<typeof pushRunnable>>;
let amd64: Awaited<ReturnType<typeof pushRunnable>>;
let arm64: Awaited<ReturnType<typeof pushRunnable>>;
let multi: Descriptor;

beforeAll(async () => {
  only = await pushRunnable(repository, "amd64", "only");
  arm64 = await pushRunnable(repository, "arm64");
  amd64 = await pushRunnable(repository, "amd64");
  multi = await pushManifest(
    repository,
    index([
      { ...arm64.manifest, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
      { ...amd64.manifest, platform: { os: "linux", architecture: "amd64" } },
    ] as (Descriptor & { platform: object })[]),
    { tag: "multi" },
  );
});

async function bytesOf(path: string, headers: Record<string, string> = {}): Promise<Uint8Array> {
  const response = await expectStatus(await send("GET", path, { headers }), 200);
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect(response.headers.get("Content-Length")).toBe(String(bytes.byteLength));
  return bytes;
}

/** The files of an archive, each blob of which is what its name says. */
async function filesOf(path: string): Promise<Map<string, Uint8Array>> {
  const files = await readTarFiles(await bytesOf(path));
  for (const [name, bytes] of files) {
    const [folder, algorithm] = name.split("/");
    if (folder === "blobs") expect(blobName(await digestOf(bytes, algorithm as "sha256"))).toBe(name);
  }
  return files;
}

const jsonIn = (files: Map<string, Uint8Array>, name: string): unknown =>
  JSON.parse(new TextDecoder().decode(files.get(name)));
const indexIn = (files: Map<string, Uint8Array>) => jsonIn(files, "index.json") as Index;
const savedIn = (files: Map<string, Uint8Array>) => jsonIn(files, "manifest.json") as Saved[];

interface Index {
  readonly manifests: (Descriptor & { annotations?: Json; platform?: Json })[];
}

interface Saved {
  readonly RepoTags: string[] | null;
  readonly Layers: string[];
}

const blobsIn = (files: Map<string, Uint8Array>) =>
  [...files.keys()].filter((name) => name.startsWith("blobs/")).sort();
const blobsOf = (...descriptors: Descriptor[]) => descriptors.map(({ digest }) => blobName(digest)).sort();
const everything = ({ config, layers, manifest }: typeof only) => [config, ...layers, manifest];

describe("an archive of an image", () => {
  it("is one of docker save and an image layout at once, each blob in it once", async () => {
    const files = await filesOf(`/archive/${repository}:only.tar`);
    expect(blobsIn(files)).toEqual(blobsOf(...everything(only)));
    expect(jsonIn(files, "manifest.json")).toEqual([
      {
        Config: blobName(only.config.digest),
        RepoTags: [`${HOST}/${repository}:only`],
        Layers: only.layers.map(({ digest }) => blobName(digest)),
      },
    ]);
    expect(jsonIn(files, "oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
    const annotations = {
      "io.containerd.image.name": `${HOST}/${repository}:only`,
      "org.opencontainers.image.ref.name": "only",
    };
    expect(indexIn(files).manifests).toEqual([{ ...only.manifest, annotations }]);
  });

  it("by its digest names no tag", async () => {
    const files = await filesOf(`/archive/${repository}@${only.manifest.digest}.tar`);
    expect(jsonIn(files, "manifest.json")).toEqual([expect.objectContaining({ RepoTags: null })]);
    expect(indexIn(files).manifests).toEqual([only.manifest]);
  });

  it("may be asked for without .tar, and says what file to make of it", async () => {
    const response = await send("HEAD", `/archive/${repository}:only`);
    expect(response.headers.get("Content-Disposition")).toBe(
      `attachment; filename="${repository.replaceAll("/", "-")}-only.tar"`,
    );
    expect(response.headers.get("Content-Type")).toBe("application/x-tar");
  });

  it("has a layer once that the image has twice, and one that another has too", async () => {
    const { config, layers } = await pushRunnable(repository, "amd64");
    const twice = await pushManifest(repository, image(config, [layers[0]!, layers[0]!]), { tag: "twice" });
    const files = await filesOf(`/archive/${repository}:twice.tar?image=${repository}@${twice.digest}`);
    expect(blobsIn(files)).toEqual(blobsOf(config, layers[0]!, twice));
    const [entry] = savedIn(files);
    expect(entry?.Layers).toEqual([blobName(layers[0]!.digest), blobName(layers[0]!.digest)]);
  });

  it("has blobs of sha512, whose names are longer than a header of tar holds", async () => {
    const config = await pushConfig(repository, "amd64");
    const layer = await pushBlob(repository, randomBytes(10), { algorithm: "sha512" });
    const manifest = await pushManifest(repository, image(config, [layer]), { tag: "sha512" });
    const files = await filesOf(`/archive/${repository}:sha512.tar`);
    expect(blobsIn(files)).toEqual(blobsOf(config, layer, manifest));
  });

  it("has a manifest that is too big for a row", async () => {
    const padding = { annotations: { padding: "x".repeat(1_000_000) } };
    const manifest = await pushManifest(repository, image(only.config, only.layers, padding), { tag: "padded" });
    expect(blobsIn(await filesOf(`/archive/${repository}:padded.tar`))).toContain(blobName(manifest.digest));
  });

  it("of several names has them all, each with its own", async () => {
    const other = freshRepository();
    const second = await pushRunnable(other, "amd64", "v2");
    const files = await filesOf(`/archive/${repository}:only.tar?image=${other}:v2&image=${repository}:only`);
    expect(blobsIn(files)).toEqual(blobsOf(...everything(only), ...everything(second)));
    expect(savedIn(files).map(({ RepoTags }) => RepoTags)).toEqual([
      [`${HOST}/${repository}:only`],
      [`${HOST}/${other}:v2`],
    ]);
    const names = indexIn(files).manifests.map(({ annotations }) => Object.values(annotations!));
    expect(names).toEqual([Array(2).fill(`${HOST}/${repository}:only`), Array(2).fill(`${HOST}/${other}:v2`)]);
  });
});

describe("an archive of an index", () => {
  it.each([
    ["for docker: linux/amd64", "", () => amd64],
    ["for docker: the one asked for", "?platform=linux/arm64", () => arm64],
    ["for docker: the variant asked for, which all have", "?platform=linux/arm64/v8", () => arm64],
    ["for docker: by another name of its architecture", "?platform=linux/aarch64", () => arm64],
    ["as a layout: the one asked for", "?platform=linux/arm64&format=oci", () => arm64],
  ])("%s", async (_what, query, picked) => {
    const files = await filesOf(`/archive/${repository}:multi.tar${query}`);
    expect(blobsIn(files)).toEqual(blobsOf(...everything(picked())));
    expect(files.has("manifest.json")).toBe(!query.includes("oci"));
    expect(indexIn(files).manifests).toEqual([expect.objectContaining(picked().manifest)]);
  });

  it("as a layout has all of it, byte for byte", async () => {
    const files = await filesOf(`/archive/${repository}:multi.tar?format=oci`);
    expect(blobsIn(files)).toEqual(blobsOf(multi, ...everything(amd64), ...everything(arm64)));
    expect(indexIn(files).manifests).toEqual([expect.objectContaining(multi)]);
    expect(files.has("manifest.json")).toBe(false);
  });

  it.each(["linux/s390x", "windows/amd64", "linux/arm64/v9"])("without %s says what there is", async (platform) => {
    const { message, detail } = await expectError(
      await send("GET", `/archive/${repository}:multi.tar?platform=${platform}`),
      404,
      "MANIFEST_UNKNOWN",
    );
    expect(message).toContain("linux/arm64/v8, linux/amd64");
    expect(detail).toEqual({ platforms: ["linux/arm64/v8", "linux/amd64"] });
  });

  it("of an image alone looks into its config", async () => {
    await filesOf(`/archive/${repository}:only.tar?platform=linux/amd64`);
    await expectError(
      await send("GET", `/archive/${repository}:only.tar?platform=linux/arm64`),
      404,
      "MANIFEST_UNKNOWN",
    );
  });

  it("that does not state platforms looks into the configs", async () => {
    await pushManifest(repository, index([arm64.manifest, amd64.manifest]), { tag: "bare" });
    for (const [query, picked] of [
      ["", amd64],
      ["?platform=linux/arm64", arm64],
    ] as const) {
      expect(blobsIn(await filesOf(`/archive/${repository}:bare.tar${query}`))).toEqual(blobsOf(...everything(picked)));
    }
  });

  it("takes the first image where none is for linux/amd64, and no attestation for one", async () => {
    const attestation = { ...amd64.manifest, platform: { os: "unknown", architecture: "unknown" } };
    const children = [attestation, { ...arm64.manifest, platform: { os: "linux", architecture: "arm64" } }];
    await pushManifest(repository, index(children), { tag: "arm-only" });
    expect(blobsIn(await filesOf(`/archive/${repository}:arm-only.tar`))).toEqual(blobsOf(...everything(arm64)));
  });

  it("within an index has that too", async () => {
    const outer = await pushManifest(repository, index([multi]), { tag: "outer" });
    const files = await filesOf(`/archive/${repository}:outer.tar?format=oci`);
    expect(blobsIn(files)).toEqual(blobsOf(outer, multi, ...everything(amd64), ...everything(arm64)));
    expect(blobsIn(await filesOf(`/archive/${repository}:outer.tar`))).toEqual(blobsOf(...everything(amd64)));
  });

  it("that lists itself many times over is read once", async () => {
    let inner = only.manifest;
    for (let depth = 0; depth < 30; depth += 1) inner = await pushManifest(repository, index([inner, inner]));
    const files = await filesOf(`/archive/${repository}@${inner.digest}.tar`);
    expect(blobsIn(files)).toEqual(blobsOf(...everything(only)));
  });

  it("has content once that is a manifest here and a blob there", async () => {
    const other = freshRepository();
    const response = await send("GET", `/v2/${repository}/manifests/only`);
    const cache = await pushManifest(other, index([await pushBlob(other, await response.text())]), { tag: "cache" });
    const files = await filesOf(`/archive/${repository}:only.tar?format=oci&image=${other}:cache`);
    expect(blobsIn(files)).toEqual(blobsOf(...everything(only), cache));
  });

  it("has blobs that it lists in the place of manifests, as BuildKit's caches do", async () => {
    const layer = await pushBlob(repository, randomBytes(50));
    const cache = await pushManifest(repository, index([layer]), { tag: "cache" });
    expect(blobsIn(await filesOf(`/archive/${repository}:cache.tar?format=oci`))).toEqual(blobsOf(layer, cache));
  });
});

describe("what is not all here, or no image", () => {
  const FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

  it("goes without foreign layers into a layout, which says so, and not into an archive for docker", async () => {
    const foreign = await absent(FOREIGN);
    const manifest = await pushManifest(repository, image(only.config, [only.layers[0]!, foreign]), { tag: "foreign" });
    const path = `/archive/${repository}:foreign.tar`;
    expect((await send("HEAD", `${path}?format=oci`)).headers.get("Warning")).toBe(
      `299 - "left out, since the registry does not hold it: ${foreign.digest}"`,
    );
    expect(blobsIn(await filesOf(`${path}?format=oci`))).toEqual(blobsOf(only.config, only.layers[0]!, manifest));
    const { detail } = await expectError(await send("GET", path), 405, "UNSUPPORTED");
    expect(detail).toEqual([{ digest: foreign.digest }]);
    expect((await send("HEAD", `/archive/${repository}:only.tar`)).headers.has("Warning")).toBe(false);
  });

  it("is an archive for docker only where it is an image", async () => {
    const config = await pushBlob(repository, "{}", { mediaType: "application/vnd.oci.empty.v1+json" });
    const artifact = { ...image(config, [only.layers[0]!]), artifactType: "text/x" };
    await pushManifest(repository, artifact, { tag: "artifact" });
    await filesOf(`/archive/${repository}:artifact.tar?format=oci`);
    const { message } = await expectError(await send("GET", `/archive/${repository}:artifact.tar`), 405, "UNSUPPORTED");
    expect(message).toContain("?format=oci");
  });

  it.each([
    ["an unknown tag", ":none.tar", 404, "MANIFEST_UNKNOWN"],
    ["an unknown digest", `@sha256:${"0".repeat(64)}.tar`, 404, "MANIFEST_UNKNOWN"],
    ["no tag", ".tar", 400, "TAG_INVALID"],
    ["a digest in the place of a tag", `:sha256:${"0".repeat(64)}.tar`, 400, "NAME_INVALID"],
    ["a tag in the place of a digest", "@only.tar", 400, "TAG_INVALID"],
    ["an unknown format", ":only.tar?format=zip", 400, "REQUEST_INVALID"],
    ["a platform that is none", ":only.tar?platform=amd64", 400, "REQUEST_INVALID"],
    ["another image that is none", ":only.tar?image=UPPER:1", 400, "NAME_INVALID"],
    ["another image without a tag", ":only.tar?image=a", 400, "TAG_INVALID"],
    [
      "too many images",
      `:only.tar?${Array.from({ length: 20 }, (_, i) => `image=a:${i}`).join("&")}`,
      400,
      "REQUEST_INVALID",
    ],
  ])("is refused: %s", async (_what, rest, status, code) => {
    await expectError(await send("GET", `/archive/${repository}${rest}`), status, code);
  });

  it("is refused: a repository that is none", async () => {
    await expectError(await send("GET", `/archive/${freshRepository()}:v1.tar`), 404, "NAME_UNKNOWN");
  });
});

describe("a part of an archive", () => {
  const path = `/archive/${repository}:only.tar`;

  it("is what the whole has there, wherever it begins and ends", async () => {
    const whole = await bytesOf(path);
    const size = whole.byteLength;
    const bounds = [0, 1, 511, 512, 513, 1_024, 3_000, size - 1_025, size - 1_024, size - 1];
    for (const start of bounds) {
      for (const end of bounds.filter((one) => one >= start)) {
        const response = await expectStatus(
          await send("GET", path, { headers: { Range: `bytes=${start}-${end}` } }),
          206,
        );
        expect(response.headers.get("Content-Range")).toBe(`bytes ${start}-${end}/${size}`);
        expect(new Uint8Array(await response.arrayBuffer())).toEqual(whole.slice(start, end + 1));
      }
    }
  });

  it("goes on where a download broke off, unless the tag has moved", async () => {
    const moved = `/archive/${repository}:moving.tar`;
    await pushManifest(repository, image(only.config, only.layers), { tag: "moving" });
    const response = await send("HEAD", moved);
    const headers = { Range: "bytes=1000-", "If-Range": response.headers.get("ETag")! };
    await expectStatus(await send("GET", moved, { headers }), 206);
    await pushManifest(repository, image(only.config, only.layers.slice(1)), { tag: "moving" });
    await expectStatus(await send("GET", moved, { headers }), 200);
  });

  it("that is not there is refused", async () => {
    const { byteLength } = await bytesOf(path);
    const response = await send("GET", path, { headers: { Range: `bytes=${byteLength}-` } });
    expect(response.headers.get("Content-Range")).toBe(`bytes */${byteLength}`);
    await expectError(response, 416, "RANGE_INVALID");
  });

  it("is the same each time, as its ETag says, and is not sent again", async () => {
    const [first, second] = [await bytesOf(path), await bytesOf(path)];
    expect(first).toEqual(second);
    const head = await expectStatus(await send("HEAD", path), 200);
    expect(head.headers.get("Content-Length")).toBe(String(first.byteLength));
    const etag = head.headers.get("ETag")!;
    expect(etag).toMatch(/^"sha256:[0-9a-f]{64}"$/);
    await expectStatus(await send("GET", path, { headers: { "If-None-Match": etag } }), 304);
    const other = await send("HEAD", `/archive/${repository}@${only.manifest.digest}.tar`);
    expect(other.headers.get("ETag")).not.toBe(etag);
  });
});

describe("who may have an archive", () => {
  it("is who may pull all of it, and nobody learns more", async () => {
    const [mine, hidden] = [freshRepository(), freshRepository()];
    await pushRunnable(mine, "amd64", "v1");
    await pushRunnable(hidden, "amd64", "v1");
    const person = await addAccount({ [mine]: ["pull"] });
    await expectStatus(await sendAs(person, "HEAD", `/archive/${mine}:v1.tar`), 200);
    for (const path of [`/archive/${hidden}:v1.tar`, `/archive/${mine}:v1.tar?image=${hidden}:v1`]) {
      const { detail } = await expectError(await sendAs(person, "GET", path), 403, "DENIED");
      expect(detail).toEqual([{ Type: "repository", Name: hidden, Action: "pull" }]);
    }
    const both = `/archive/${mine}:v1.tar?image=${hidden}:v1`;
    const challenge = (await sendAnonymously("GET", both)).headers.get("WWW-Authenticate");
    expect(challenge).toContain(`scope="repository:${mine}:pull repository:${hidden}:pull"`);
    const token = await bearerOf(person, `repository:${mine}:pull`, `repository:${hidden}:pull`);
    await expectStatus(await sendAnonymously("HEAD", `/archive/${mine}:v1.tar`, { headers: token }), 200);
    await expectError(await sendAnonymously("GET", both, { headers: token }), 401, "UNAUTHORIZED");

    await setVisibility(hidden, "public");
    await expectStatus(await sendAs(person, "HEAD", both), 200);
    await expectStatus(await sendAnonymously("HEAD", `/archive/${hidden}:v1.tar`), 200);
    await expectStatus(await sendAnonymously("HEAD", both), 401);
    await setVisibility(mine, "public");
    await expectStatus(await sendAnonymously("HEAD", both), 200);
  });
});

it("never makes an archive of what another repository holds", async () => {
  const thief = freshRepository();
  const config = await pushConfig(thief, "amd64");
  const stolen = { ...only.layers[0]!, mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" };
  const manifest = await pushManifest(thief, image(config, [stolen]), { tag: "v1" });
  const files = await filesOf(`/archive/${thief}:v1.tar?format=oci`);
  expect(blobsIn(files)).toEqual(blobsOf(config, manifest));
});
