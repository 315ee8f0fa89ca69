import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  absent,
  type Algorithm,
  type Descriptor,
  digestOf,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  image,
  index,
  OCI_ARTIFACT,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  pushBlob,
  pushImage,
  pushManifest,
  putManifest,
  serialise,
} from "../support/images.ts";
import { expectError, expectStatus, freshRepository, runSchedule, send } from "../support/registry.ts";
import { keysBeside, storedKeys, streamOf } from "../support/uploads.ts";

const MAX_BYTES = 4 * 1024 * 1024;
const repository = freshRepository();
let config: Descriptor;
let layer: Descriptor;
let child: Descriptor;

beforeAll(async () => {
  config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
  layer = await pushBlob(repository, "a layer");
  child = await pushManifest(repository, image(config, [layer]));
});

async function get(reference: string, headers: Record<string, string> = {}): Promise<Response> {
  return await send("GET", `/v2/${repository}/manifests/${reference}`, { headers });
}

/** Pushes the bytes under a tag and expects to get exactly them back, by tag and by digest. */
async function expectKept(bytes: Uint8Array, contentType: string, algorithm: Algorithm = "sha256"): Promise<void> {
  const digest = await digestOf(bytes, algorithm);
  const reference = algorithm === "sha256" ? "kept" : digest;
  const pushed = await expectStatus(await putManifest(repository, reference, bytes, contentType), 201);
  expect(pushed.headers.get("Location")).toBe(`/v2/${repository}/manifests/${digest}`);
  expect(pushed.headers.get("Docker-Content-Digest")).toBe(digest);
  for (const path of [reference, digest]) {
    const response = await expectStatus(await get(path, { Accept: "text/html" }), 200);
    expect(response.headers.get("Content-Type")).toBe(contentType);
    expect(response.headers.get("Content-Length")).toBe(String(bytes.byteLength));
    expect(response.headers.get("Docker-Content-Digest")).toBe(digest);
    expect(await digestOf(new Uint8Array(await response.arrayBuffer()), algorithm)).toBe(digest);
  }
}

describe.each<Algorithm>(["sha256", "sha512"])("keeps by %s", (algorithm) => {
  it.each<[string, string, () => object]>([
    ["an OCI image", OCI_MANIFEST, () => image(config, [layer])],
    ["an OCI index", OCI_INDEX, () => index([child])],
    ["a Docker image", DOCKER_MANIFEST, () => image(config, [layer], { mediaType: DOCKER_MANIFEST })],
    ["a Docker list", DOCKER_LIST, () => index([child], { mediaType: DOCKER_LIST })],
    [
      "an OCI artifact manifest",
      OCI_ARTIFACT,
      () => ({ mediaType: OCI_ARTIFACT, artifactType: "a/b", blobs: [layer] }),
    ],
    ["an artifact as an image", OCI_MANIFEST, () => image(config, [layer], { artifactType: "application/x" })],
    ["an image without layers", OCI_MANIFEST, () => image(config)],
    ["an index without manifests", OCI_INDEX, () => index([])],
    [
      "nulls for what is empty",
      OCI_MANIFEST,
      () => ({ ...image(config), layers: null, annotations: null, subject: null }),
    ],
    ["an image without mediaType", OCI_MANIFEST, () => ({ schemaVersion: 2, config, layers: [layer] })],
    ["an index without mediaType", OCI_INDEX, () => ({ schemaVersion: 2, manifests: [child] })],
    ["properties that it does not know", OCI_MANIFEST, () => image(config, [], { "x-own": { deep: [null, 1e3] } })],
  ])("%s", async (_name, mediaType, manifest) => {
    await expectKept(serialise(manifest()), mediaType, algorithm);
  });
});

it("keeps the exact bytes, whatever JSON allows in them", async () => {
  const body = JSON.stringify(image(config, [layer]));
  await expectKept(serialise(`\n\t ${body}\r\n\n`), OCI_MANIFEST);
  await expectKept(serialise(JSON.stringify(JSON.parse(body), null, 7)), OCI_MANIFEST);
  const texts = ["é 名前 🚀 \u2028", "\\u00e9 \\ud800 \\u0000 \\/", "e\u0301"];
  for (const text of texts) await expectKept(serialise(body.replace("{", `{"x":"${text}",`)), OCI_MANIFEST);
  await expectKept(serialise(body.replace("{", '{"x":1.0,"y":1E2,"x":2,')), OCI_MANIFEST);
});

it("takes a Content-Type with parameters, or none", async () => {
  const manifest = image(config, [layer], { annotations: { n: "parameters" } });
  await expectStatus(await putManifest(repository, "a", manifest, `${OCI_MANIFEST}; charset=utf-8`), 201);
  await expectStatus(await putManifest(repository, "a", manifest, null), 201);
  expect((await get("a")).headers.get("Content-Type")).toBe(OCI_MANIFEST);
});

it("answers HEAD with all but the bytes", async () => {
  const { digest, size } = await pushManifest(repository, image(config, [layer]), { tag: "head" });
  for (const reference of ["head", digest]) {
    const response = await expectStatus(await send("HEAD", `/v2/${repository}/manifests/${reference}`), 200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-length": String(size),
      "content-type": OCI_MANIFEST,
      "docker-content-digest": digest,
      etag: `"${digest}"`,
    });
    expect(await response.text()).toBe("");
  }
});

it("lets caches keep what has a digest, and ask again for a tag", async () => {
  const { digest } = await pushManifest(repository, image(config), { tag: "cached" });
  expect((await get(digest)).headers.get("Cache-Control")).toMatch(/immutable.*no-transform/);
  expect((await get("cached")).headers.get("Cache-Control")).toMatch(/no-cache.*no-transform/);
  for (const reference of ["cached", digest]) {
    const response = await expectStatus(await get(reference, { "If-None-Match": `"${digest}"` }), 304);
    expect(await response.text()).toBe("");
    expect((await get(reference, { "If-None-Match": '"x"' })).status).toBe(200);
  }
});

it("tells an unknown manifest from an unknown repository", async () => {
  const { digest } = await absent();
  for (const reference of [digest, "unknown"]) {
    await expectError(await get(reference), 404, "MANIFEST_UNKNOWN");
    await expectError(await send("GET", `/v2/nowhere/manifests/${reference}`), 404, "NAME_UNKNOWN");
  }
  await expectError(await get(config.digest), 404, "MANIFEST_UNKNOWN");
});

it("refuses a manifest that does not have the digest of its path", async () => {
  const { digest } = await absent();
  await expectError(await putManifest(repository, digest, image(config)), 400, "DIGEST_INVALID");
});

it.each<[string, string | object, string]>([
  ["no bytes", "", OCI_MANIFEST],
  ["text", "hello", OCI_MANIFEST],
  ["another mediaType than its Content-Type", index([]), OCI_MANIFEST],
  ["an unknown Content-Type", { schemaVersion: 2 }, "application/json"],
  ["schema 1", { schemaVersion: 1 }, "application/vnd.docker.distribution.manifest.v1+prettyjws"],
])("refuses %s", async (_name, manifest, contentType) => {
  await expectError(await putManifest(repository, "bad", manifest, contentType), 400, "MANIFEST_INVALID");
  await expectError(await get("bad"), 404, "MANIFEST_UNKNOWN");
});

describe("size", () => {
  const padded = (size: number) => {
    const bare = JSON.stringify(image(config, [], { x: "" }));
    return serialise(JSON.stringify(image(config, [], { x: "y".repeat(size - bare.length) })));
  };

  it.each([899_999, 900_000, 900_001, 2_000_000, MAX_BYTES])("of %i bytes is accepted", async (size) => {
    const bytes = padded(size);
    expect(bytes.byteLength).toBe(size);
    await expectKept(bytes, OCI_MANIFEST);
  });

  it.each([false, true])("above 4 MiB is refused (chunked: %s)", async (chunked) => {
    const bytes = padded(MAX_BYTES + 1);
    const response = await send("PUT", `/v2/${repository}/manifests/large`, {
      body: chunked ? streamOf(bytes) : bytes,
      headers: { "Content-Type": OCI_MANIFEST },
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ errors: [{ detail: { maxBytes: MAX_BYTES } }] });
    await expectError(await get("large"), 404, "MANIFEST_UNKNOWN");
  });

  it("of 4 MiB is accepted chunked too", async () => {
    const bytes = padded(MAX_BYTES);
    const headers = { "Content-Type": OCI_MANIFEST };
    const response = await send("PUT", `/v2/${repository}/manifests/chunked`, { body: streamOf(bytes), headers });
    await expectStatus(response, 201);
  });

  it("beyond a row leaves nothing in the bucket once it is refused or repeated, or collected after its deletion", async () => {
    await runSchedule();
    const before = await storedKeys();
    const bytes = padded(1_000_001);
    const digest = await digestOf(bytes);
    for (const tag of ["large", "again"]) await expectStatus(await putManifest(repository, tag, bytes), 201);
    const refused = image(await absent(OCI_CONFIG), [], { x: "y".repeat(1_000_000) });
    await expectError(await putManifest(repository, "refused", refused), 404, "MANIFEST_BLOB_UNKNOWN");
    await runSchedule();
    expect(await keysBeside(before)).toHaveLength(1);
    expect((await get(digest)).status).toBe(200);
    await expectStatus(await send("DELETE", `/v2/${repository}/manifests/${digest}`), 202);
    await runSchedule();
    expect(await keysBeside(before)).toHaveLength(1);
    await env.DB.prepare("UPDATE manifests SET deleted_at = 0 WHERE digest = ?1").bind(digest).run();
    await runSchedule();
    expect(await keysBeside(before)).toEqual([]);
  });
});

describe("DELETE", () => {
  it("of a tag leaves the manifest, and its other tags", async () => {
    const own = freshRepository();
    const { digest } = await pushImage(own, { tag: "one" });
    const bytes = new Uint8Array(await (await send("GET", `/v2/${own}/manifests/one`)).arrayBuffer());
    await expectStatus(await putManifest(own, "two", bytes), 201);
    await expectStatus(await send("DELETE", `/v2/${own}/manifests/one`), 202);
    await expectError(await send("GET", `/v2/${own}/manifests/one`), 404, "MANIFEST_UNKNOWN");
    await expectError(await send("DELETE", `/v2/${own}/manifests/one`), 404, "MANIFEST_UNKNOWN");
    for (const reference of ["two", digest]) {
      expect((await send("HEAD", `/v2/${own}/manifests/${reference}`)).status).toBe(200);
    }
  });

  it("of a digest takes all its tags along", async () => {
    const own = freshRepository();
    const { digest } = await pushImage(own, { tag: "one" });
    const other = await pushImage(own, { tag: "other" });
    await expectStatus(await send("DELETE", `/v2/${own}/manifests/${digest}`), 202);
    for (const reference of ["one", digest]) {
      await expectError(await send("GET", `/v2/${own}/manifests/${reference}`), 404, "MANIFEST_UNKNOWN");
    }
    await expectError(await send("DELETE", `/v2/${own}/manifests/${digest}`), 404, "MANIFEST_UNKNOWN");
    expect(await (await send("GET", `/v2/${own}/tags/list`)).json()).toEqual({ name: own, tags: ["other"] });
    expect((await send("HEAD", `/v2/${own}/manifests/${other.digest}`)).status).toBe(200);
  });

  it("is refused while an index holds the manifest, and names it", async () => {
    const own = freshRepository();
    const held = await pushImage(own);
    const holder = await pushManifest(own, index([held]), { tag: "v1" });
    const path = `/v2/${own}/manifests/${held.digest}`;
    const { detail } = await expectError(await send("DELETE", path), 405, "UNSUPPORTED");
    expect(detail).toEqual({ manifest: holder.digest });
    await expectStatus(await send("DELETE", `/v2/${own}/manifests/${holder.digest}`), 202);
    await expectStatus(await send("DELETE", path), 202);
  });

  it("does not touch the same manifest in another repository", async () => {
    const [here, there] = [freshRepository(), freshRepository()];
    for (const name of [here, there]) await pushManifest(name, image(await pushBlob(name, "{}")), { tag: "v1" });
    const { digest } = await pushManifest(here, image(await pushBlob(here, "{}")), { tag: "v1" });
    await expectStatus(await send("DELETE", `/v2/${here}/manifests/${digest}`), 202);
    expect((await send("HEAD", `/v2/${there}/manifests/v1`)).status).toBe(200);
  });

  it("lets the manifest be pushed again, with what it holds", async () => {
    const own = freshRepository();
    const blob = await pushBlob(own, "{}");
    const manifest = image(blob);
    const { digest } = await pushManifest(own, manifest);
    await send("DELETE", `/v2/${own}/manifests/${digest}`);
    await expectError(await send("GET", `/v2/${own}/manifests/${digest}`), 404, "MANIFEST_UNKNOWN");
    await pushManifest(own, manifest, { tag: "again" });
    await expectError(await send("DELETE", `/v2/${own}/blobs/${blob.digest}`), 405, "UNSUPPORTED");
  });
});
