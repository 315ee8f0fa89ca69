import { describe, expect, it } from "vitest";
import { cosignPrefix, kindOfCosignTag, kindOfReferrer, nameArtifact } from "../../web/image/kinds.ts";
import { parseManifest, sizeOf } from "../../web/image/manifest.ts";
import { addressOfPlatform, choosePlatform, platformsOf } from "../../web/image/platforms.ts";
import { descriptor, platform } from "./support/descriptors.ts";

describe("a referrer", () => {
  it.each<[string | undefined, Record<string, string>, string, string]>([
    ["application/vnd.dev.cosign.artifact.sig.v1+json", {}, "Signatures", "Cosign signature"],
    ["application/vnd.cncf.notary.signature", {}, "Signatures", "Notation signature"],
    ["application/vnd.dev.sigstore.bundle.v0.3+json", {}, "Signatures", "Sigstore bundle"],
    [
      "application/vnd.dev.sigstore.bundle.v0.3+json",
      { "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1" },
      "Attestations",
      "SLSA provenance",
    ],
    ["application/spdx+json", {}, "SBOMs", "SPDX SBOM"],
    ["text/spdx", {}, "SBOMs", "SPDX SBOM"],
    ["application/vnd.cyclonedx+json", {}, "SBOMs", "CycloneDX SBOM"],
    ["application/vnd.in-toto+json", {}, "Attestations", "in-toto attestation"],
    ["application/vnd.example", {}, "Others", "application/vnd.example"],
    [undefined, {}, "Others", "Unknown"],
  ])("of type %s with %j is in %s: %s", (type, annotations, group, name) => {
    expect(kindOfReferrer(type, annotations)).toEqual({ group, name });
  });

  it("may be a tag, by cosign's scheme", () => {
    const { digest } = descriptor("a");
    expect(kindOfCosignTag(`${cosignPrefix(digest)}.sig`, digest)?.group).toBe("Signatures");
    expect(kindOfCosignTag(`${cosignPrefix(digest)}.sbom`, digest)?.group).toBe("SBOMs");
    expect(kindOfCosignTag(`${cosignPrefix(digest)}.other`, digest)).toBeUndefined();
    expect(kindOfCosignTag("v1", digest)).toBeUndefined();
  });
});

describe("a manifest", () => {
  const OCI = "application/vnd.oci.image.manifest.v1+json";
  const IMAGE = "application/vnd.oci.image.config.v1+json";
  const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: "sha256:1", size: 5 };
  const of = (content: object) => parseManifest(JSON.stringify(content), OCI);
  const config = (mediaType: string) => ({ mediaType, digest: "sha256:2", size: 7 });

  it.each([
    ["image", { config: config(IMAGE), layers: [layer] }],
    ["image", { config: config(IMAGE), layers: null }],
    [
      "image",
      {
        config: config("application/vnd.docker.container.image.v1+json"),
        layers: [{ ...layer, mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip" }],
      },
    ],
    ["artifact", { config: config("application/vnd.cncf.helm.config.v1+json"), layers: [layer] }],
    [
      "artifact",
      { artifactType: "application/spdx+json", config: config("application/vnd.oci.empty.v1+json"), layers: [] },
    ],
    ["artifact", { config: config(IMAGE), layers: [{ ...layer, mediaType: "application/vnd.in-toto+json" }] }],
  ])("is an %s: %j", (kind, content) => {
    expect(of(content).kind).toBe(kind);
  });

  it("is as large as its parts, each once", () => {
    const image = of({ config: config(IMAGE), layers: [layer, layer] });
    expect(sizeOf({ ...image, size: 100, digest: "", text: "" })).toBe(112);
  });

  it("may have annotations and platforms that are none", () => {
    const index = parseManifest(
      JSON.stringify({ manifests: [{ ...layer, platform: "linux", annotations: [1] }], annotations: { a: 1 } }),
      "application/vnd.oci.image.index.v1+json",
    );
    expect(index).toMatchObject({ kind: "index", annotations: {}, manifests: [{ annotations: {} }] });
  });
});

it.each([
  ["application/vnd.cncf.helm.config.v1+json", "Helm chart"],
  ["application/vnd.wasm.config.v0+json", "WebAssembly module"],
  ["application/spdx+json", "SPDX SBOM"],
  ["application/vnd.oci.image.config.v1+json", "Attestation"],
  ["application/vnd.example", "application/vnd.example"],
  [undefined, "Files"],
])("an artifact of type %s is called %s", (type, name) => {
  expect(nameArtifact(type)).toBe(name);
});

describe("the platforms of an index", () => {
  const attestation = platform("c", "unknown/unknown", {
    annotations: {
      "vnd.docker.reference.type": "attestation-manifest",
      "vnd.docker.reference.digest": descriptor("b").digest,
    },
  });
  const images = platformsOf([platform("a", "linux/arm64/v8"), platform("b", "linux/amd64"), attestation]);
  const labelOf = (wanted?: string, agent = "") => choosePlatform(images, wanted, agent)?.label;

  it("are its images; what attests of one stands with it", () => {
    expect(images.map(({ label, attestations }) => [label, attestations])).toEqual([
      ["linux/arm64/v8", []],
      ["linux/amd64", [attestation]],
    ]);
  });

  it("are chosen by the address, then by the machine, then by their order", () => {
    expect(labelOf("linux/arm64/v8")).toBe("linux/arm64/v8");
    expect(labelOf(descriptor("a").digest)).toBe("linux/arm64/v8");
    expect(labelOf()).toBe("linux/amd64");
    expect(labelOf("plan9/mips", "Linux aarch64")).toBe("linux/arm64/v8");
    expect(choosePlatform(platformsOf([platform("a", "windows/amd64")]), undefined, "")?.label).toBe("windows/amd64");
    expect(choosePlatform([], undefined, "")).toBeUndefined();
  });

  it("have their digest for an address where several are called the same", () => {
    const twins = platformsOf([platform("a", "linux/amd64"), platform("b", "linux/amd64")]);
    expect(twins.map((image) => addressOfPlatform(twins, image))).toEqual(
      twins.map(({ descriptor: { digest } }) => digest),
    );
    expect(images.map((image) => addressOfPlatform(images, image))).toEqual(["linux/arm64/v8", "linux/amd64"]);
  });
});
