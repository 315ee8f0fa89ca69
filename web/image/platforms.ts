import { formatPlatform } from "../format.ts";
import type { Descriptor } from "./manifest.ts";

/** An image of an index. */
export interface PlatformImage {
  /** `linux/arm64/v8`; Windows has its version with it. What names no platform has its type. */
  readonly label: string;
  readonly descriptor: Descriptor;
  /** What BuildKit attests of it: manifests in the same index. */
  readonly attestations: readonly Descriptor[];
}

const REFERENCE_TYPE = "vnd.docker.reference.type";
const REFERENCE_DIGEST = "vnd.docker.reference.digest";

const isAttestation = ({ annotations }: Descriptor): boolean => annotations[REFERENCE_TYPE] === "attestation-manifest";

/** The images of an index, each with its attestations, which stand beside them there under a platform of their own. */
export function platformsOf(manifests: readonly Descriptor[]): PlatformImage[] {
  const images = manifests.filter((descriptor) => !isAttestation(descriptor));
  return images.map((descriptor) => ({
    label: labelOf(descriptor),
    descriptor,
    attestations: manifests.filter(
      (other) => isAttestation(other) && other.annotations[REFERENCE_DIGEST] === descriptor.digest,
    ),
  }));
}

function labelOf({ platform, artifactType, mediaType }: Descriptor): string {
  if (platform === undefined) return artifactType ?? mediaType;
  const { os, architecture, variant } = platform;
  const label = formatPlatform({ os, architecture, ...(variant !== undefined && { variant }) });
  return platform["os.version"] === undefined ? label : `${label} ${platform["os.version"]}`;
}

/** How the address of the page names an image: by its platform, or by its digest where several have the same. */
export function addressOfPlatform(images: readonly PlatformImage[], image: PlatformImage): string {
  const isAlone = images.filter(({ label }) => label === image.label).length === 1;
  return isAlone ? image.label : image.descriptor.digest;
}

/**
 * The image that is asked for, or the one that the caller most likely runs, or the first.
 * @param wanted a platform or digest, as the address of the page has it.
 */
export function choosePlatform(
  images: readonly PlatformImage[],
  wanted: string | undefined,
  userAgent: string,
): PlatformImage | undefined {
  const own = /aarch64|arm64/i.test(userAgent) ? "linux/arm64" : "linux/amd64";
  return (
    images.find((image) => addressOfPlatform(images, image) === wanted || image.descriptor.digest === wanted) ??
    images.find(({ label }) => label === own || label.startsWith(`${own}/`)) ??
    images[0]
  );
}
