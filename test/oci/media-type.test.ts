import { expect, it } from "vitest";
import { isIndex, isNonDistributable, parseContentType } from "../../src/oci/media-type.ts";
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from "../support/images.ts";

it.each([
  [OCI_MANIFEST, OCI_MANIFEST],
  [`${OCI_MANIFEST}; charset=utf-8`, OCI_MANIFEST],
  [` ${OCI_INDEX} ;a=b`, OCI_INDEX],
  ["Application/JSON", "application/json"],
])("reads %j", (header, mediaType) => {
  expect(parseContentType(header)).toBe(mediaType);
});

it.each([null, "", "json", "a/", "/b", "a/b/c", "a b/c", ".a/b", `a/${"b".repeat(128)}`])(
  "does not read %j",
  (header) => {
    expect(parseContentType(header)).toBeUndefined();
  },
);

it("knows the two kinds that list manifests", () => {
  expect([OCI_INDEX, DOCKER_LIST].every(isIndex)).toBe(true);
  expect([OCI_MANIFEST, DOCKER_MANIFEST, OCI_LAYER, ""].some(isIndex)).toBe(false);
});

it.each([
  "application/vnd.oci.image.layer.nondistributable.v1.tar",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
])("knows that %s is not distributed", (mediaType) => {
  expect(isNonDistributable(mediaType)).toBe(true);
  expect(isNonDistributable(OCI_LAYER)).toBe(false);
});
