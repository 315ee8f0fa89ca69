import { expect, it } from "vitest";
import { parseManifest } from "../../src/oci/manifest.ts";

const DESCRIPTOR = { mediaType: "application/octet-stream", digest: `sha256:${"0".repeat(64)}`, size: 1 };

function parse(changes: object): unknown {
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = { schemaVersion: 2, mediaType, config: DESCRIPTOR, layers: [], ...changes };
  return parseManifest(new TextEncoder().encode(JSON.stringify(manifest)), mediaType);
}

it.each([
  ["an artifactType of 255 characters", { artifactType: "a".repeat(255) }],
  ["10,000 references", { layers: Array.from({ length: 9_999 }, () => DESCRIPTOR) }],
])("takes %s", (_what, changes) => {
  expect(() => parse(changes)).not.toThrow();
});

it.each([
  ["an artifactType of 256 characters", { artifactType: "a".repeat(256) }, "artifactType"],
  ["10,001 references", { layers: Array.from({ length: 10_000 }, () => DESCRIPTOR) }, "10000 references"],
])("refuses %s", (_what, changes, message) => {
  expect(() => parse(changes)).toThrow(message);
});
