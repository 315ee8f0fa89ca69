/** Media types with a meaning for the registry. Everything else passes through untouched. */
export const MEDIA_TYPES = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  /** Gone from the image spec in 1.1, but some registries still hold what early tools pushed as it. */
  ociArtifact: "application/vnd.oci.artifact.manifest.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerManifestList: "application/vnd.docker.distribution.manifest.list.v2+json",
  octetStream: "application/octet-stream",
} as const;

const NON_DISTRIBUTABLE = new Set([
  "application/vnd.oci.image.layer.nondistributable.v1.tar",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
  "application/vnd.docker.image.rootfs.foreign.diff.tar",
  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
]);

/** Layers that clients fetch from elsewhere, and that need not be in the registry (image spec, "Non-Distributable Layers"). */
export function isNonDistributable(mediaType: string): boolean {
  return NON_DISTRIBUTABLE.has(mediaType);
}

/** The two kinds that list other manifests. */
export const INDEX_TYPES: readonly string[] = [MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerManifestList];

export function isIndex(mediaType: string): boolean {
  return INDEX_TYPES.includes(mediaType);
}

/** True for what can be pushed as a manifest. */
export function isManifest(mediaType: string): boolean {
  return mediaType !== MEDIA_TYPES.octetStream && Object.values<string>(MEDIA_TYPES).includes(mediaType);
}

/** Those of the configs of images that run. */
export const IMAGE_CONFIG_TYPES: readonly string[] = [
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
];

/** True for configs of images that run, which may have labels; artifacts put anything in the place of theirs. */
export function isImageConfig(mediaType: string): boolean {
  return IMAGE_CONFIG_TYPES.includes(mediaType);
}

/** What a manifest is, to who looks at it. */
export type ManifestKind = "image" | "index" | "artifact";

/** @param artifactType its `artifactType`, or the media type of its config. */
export function kindOf(mediaType: string, artifactType: string | null): ManifestKind {
  if (isIndex(mediaType)) return "index";
  return artifactType !== null && isImageConfig(artifactType) ? "image" : "artifact";
}

/** RFC 6838 "type/subtype", which is what the image spec demands of every media type. */
const MEDIA_TYPE_PATTERN = /^[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+-]{0,126}\/[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+-]{0,126}$/;

/** A Content-Type without its parameters, in lower case; undefined when it is absent or not a media type. */
export function parseContentType(header: string | null): string | undefined {
  const mediaType = header?.split(";", 1)[0]?.trim().toLowerCase();
  return mediaType !== undefined && MEDIA_TYPE_PATTERN.test(mediaType) ? mediaType : undefined;
}
