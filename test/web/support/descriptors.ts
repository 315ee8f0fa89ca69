import type { Descriptor } from "../../../web/image/manifest.ts";

/** A descriptor by a letter, which makes its digest. */
export function descriptor(letter: string, changes: Partial<Descriptor> = {}): Descriptor {
  return {
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: `sha256:${letter.repeat(64)}`,
    size: 100,
    artifactType: undefined,
    annotations: {},
    platform: undefined,
    ...changes,
  };
}

/** The descriptor of an image for a platform: `linux/arm64/v8`. */
export function platform(letter: string, name: string, changes: Partial<Descriptor> = {}): Descriptor {
  const [os = "", architecture = "", variant] = name.split("/");
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  return descriptor(letter, {
    mediaType,
    platform: { os, architecture, variant, "os.version": undefined },
    ...changes,
  });
}
