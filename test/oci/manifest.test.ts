import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OciError } from "../../src/oci/error.ts";
import { parseManifest } from "../../src/oci/manifest.ts";
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  image,
  index,
  OCI_ARTIFACT,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_MANIFEST,
  serialise,
} from "../support/images.ts";
import { thrownBy } from "../support/thrown.ts";

const descriptor = (digit: string, mediaType = OCI_LAYER) => ({
  mediaType,
  digest: `sha256:${digit.repeat(64)}`,
  size: 3,
});
const CONFIG = descriptor("c", OCI_CONFIG);
const parse = (manifest: object | string | Uint8Array, contentType?: string) =>
  parseManifest(serialise(manifest), contentType);

it("names all that an image holds, in its order", () => {
  const foreign = descriptor("f", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
  const manifest = parse(image(CONFIG, [descriptor("1"), foreign, descriptor("1")]));
  expect(manifest.references).toEqual([
    { role: "config", digest: CONFIG.digest, size: 3, distributable: true },
    { role: "layer", digest: descriptor("1").digest, size: 3, distributable: true },
    { role: "layer", digest: foreign.digest, size: 3, distributable: false },
    { role: "layer", digest: descriptor("1").digest, size: 3, distributable: true },
  ]);
  expect(manifest).toMatchObject({ mediaType: OCI_MANIFEST, artifactType: OCI_CONFIG, subject: undefined });
});

it("names all that an index holds", () => {
  const manifest = parse(index([descriptor("1", OCI_MANIFEST)], { artifactType: "a/b", subject: descriptor("5") }));
  expect(manifest).toMatchObject({
    mediaType: OCI_INDEX,
    artifactType: "a/b",
    subject: descriptor("5").digest,
    references: [{ role: "manifest", digest: descriptor("1").digest }],
  });
});

it("names all that an artifact manifest holds", () => {
  const body = { mediaType: OCI_ARTIFACT, artifactType: "a/b", blobs: [descriptor("1")], annotations: { k: "v" } };
  expect(parse(body)).toMatchObject({ artifactType: "a/b", annotations: { k: "v" }, references: [{ role: "layer" }] });
  expect(parse({ mediaType: OCI_ARTIFACT }).references).toEqual([]);
});

describe("null, which Go writes for an empty list or map, is as good as nothing", () => {
  const nothing = { annotations: null, subject: null };
  it.each<[string, object, string]>([
    ["an image", image(CONFIG, [], { ...nothing, layers: null }), OCI_MANIFEST],
    ["an image without a mediaType", { schemaVersion: 2, config: CONFIG, layers: null, manifests: null }, OCI_MANIFEST],
    ["an index", index([], { ...nothing, manifests: null }), OCI_INDEX],
    ["an index without a mediaType", { schemaVersion: 2, manifests: null }, OCI_INDEX],
    ["an artifact", { mediaType: OCI_ARTIFACT, ...nothing, blobs: null }, OCI_ARTIFACT],
  ])("in %s", (_name, body, mediaType) => {
    const manifest = parse(body);
    expect(manifest).toMatchObject({ mediaType, annotations: undefined, subject: undefined });
    expect(manifest.references.filter(({ role }) => role !== "config")).toEqual([]);
  });

  it("but where something must be", () => {
    expect(thrownBy(() => parse({ ...image(CONFIG), config: null })).code).toBe("MANIFEST_INVALID");
  });
});

describe("the media type", () => {
  const bare = { schemaVersion: 2, config: CONFIG, layers: [] };
  const list = { schemaVersion: 2, manifests: [] };
  it.each([
    [{ ...bare, mediaType: DOCKER_MANIFEST }, undefined, DOCKER_MANIFEST],
    [{ ...bare, mediaType: DOCKER_MANIFEST }, DOCKER_MANIFEST, DOCKER_MANIFEST],
    [bare, OCI_MANIFEST, OCI_MANIFEST],
    [bare, DOCKER_MANIFEST, DOCKER_MANIFEST],
    [bare, undefined, OCI_MANIFEST],
    [list, OCI_INDEX, OCI_INDEX],
    [list, DOCKER_LIST, DOCKER_LIST],
    [list, undefined, OCI_INDEX],
  ])("of %j sent as %s", (manifest, contentType, mediaType) => {
    expect(parse(manifest, contentType).mediaType).toBe(mediaType);
  });
});

describe("the artifact type", () => {
  it.each([
    [{}, OCI_CONFIG],
    [{ artifactType: "" }, OCI_CONFIG],
    [{ artifactType: "a/b" }, "a/b"],
  ])("of an image with %j", (more, artifactType) => {
    expect(parse(image(CONFIG, [], more)).artifactType).toBe(artifactType);
  });

  it("of an index without one is none", () => {
    expect(parse(index([])).artifactType).toBeUndefined();
    expect(parse(index([], { artifactType: "" })).artifactType).toBeUndefined();
  });
});

describe("refuses", () => {
  it.each<[string, object | string | Uint8Array, string]>([
    ["nothing", "", "not valid JSON"],
    ["text", "hello", "not valid JSON"],
    ["bytes that are not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "UTF-8"],
    ["a byte order mark", `\uFEFF${JSON.stringify(image(CONFIG))}`, "not valid JSON"],
    ["an array", "[]", "not a JSON object"],
    ["null", "null", "not a JSON object"],
    ["a manifest without a kind", {}, "no mediaType"],
    ["a mediaType that is no text", { mediaType: 7 }, "mediaType is not a string"],
    ["an unknown mediaType", { mediaType: "application/x" }, "does not know"],
    ["schema 1", { schemaVersion: 1, mediaType: "application/vnd.docker.distribution.manifest.v1+json" }, "not know"],
    ["another schemaVersion", image(CONFIG, [], { schemaVersion: 1 }), "schemaVersion"],
    ["an image without config", { schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [] }, "config"],
    ["an image without layers", { schemaVersion: 2, mediaType: OCI_MANIFEST, config: CONFIG }, "layers"],
    ["an index without manifests", { schemaVersion: 2, mediaType: OCI_INDEX }, "manifests"],
    ["a negative size", image({ ...CONFIG, size: -1 }), "config.size"],
    ["half a byte", image({ ...CONFIG, size: 0.5 }), "config.size"],
    ["a size as text", image({ ...CONFIG, size: "3" } as never), "config.size"],
    ["a malformed digest", image(CONFIG, [{ ...CONFIG, digest: "sha256:0" }]), "layers.0.digest"],
    ["a descriptor without mediaType", image({ ...CONFIG, mediaType: "" }), "config.mediaType"],
    ["a malformed subject", image(CONFIG, [], { subject: { digest: "x" } }), "subject"],
    ["annotations that are no map of texts", image(CONFIG, [], { annotations: { a: 1 } }), "annotations.a"],
  ])("%s", (_name, manifest, message) => {
    const error = thrownBy(() => parse(manifest));
    expect(error.code).toBe("MANIFEST_INVALID");
    expect(error.message).toContain(message);
  });

  it("a mediaType that differs from the Content-Type", () => {
    const error = thrownBy(() => parse(image(CONFIG), OCI_INDEX));
    expect(error.message).toContain("differs");
    expect(error.detail).toEqual({ mediaType: OCI_MANIFEST, contentType: OCI_INDEX });
  });
});

it("keeps properties and annotations that it does not know out of its way", () => {
  const manifest = parse(image(CONFIG, [], { "x-own": [1], annotations: { __proto__x: "1", ключ: "é" } }));
  expect(manifest.annotations).toEqual({ __proto__x: "1", ключ: "é" });
});

it("answers any JSON with a manifest or an OciError", () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom(undefined, OCI_MANIFEST, OCI_INDEX, OCI_ARTIFACT),
      (json, contentType) => {
        try {
          parse(JSON.stringify(json), contentType);
        } catch (error) {
          expect(error).toBeInstanceOf(OciError);
        }
      },
    ),
  );
});
