import * as v from "valibot";
import type { Digest } from "./digest.ts";
import { isDigest } from "./digest.ts";
import { OciError } from "./error.ts";

/** Image spec, "Image Index Property Descriptions": what an image runs on. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** What `docker pull` takes where nothing else is said, on most machines. */
export const DEFAULT_PLATFORM: Platform = { os: "linux", architecture: "amd64" };

/** Names of architectures that are in use beside Go's. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
  armhf: "arm",
  i386: "386",
};

const PlatformSchema = v.object({
  os: v.pipe(v.string(), v.nonEmpty()),
  architecture: v.pipe(v.string(), v.nonEmpty()),
  variant: v.optional(v.string()),
});

/** `os/architecture[/variant]`, as `docker pull --platform` takes it. Throws REQUEST_INVALID. */
export function parsePlatform(text: string): Platform {
  const match = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9]+))?$/i.exec(text);
  const [, os, architecture, variant] = match ?? [];
  if (os === undefined || architecture === undefined) {
    throw new OciError("REQUEST_INVALID", { message: "platform is invalid: expected one such as linux/arm64" });
  }
  const name = architecture.toLowerCase();
  return { os: os.toLowerCase(), architecture: ARCHITECTURES[name] ?? name, variant: variant?.toLowerCase() };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined || variant === "" ? [] : [variant])].join("/");
}

/** The variant, where it says more than the architecture: all 64-bit Arm is v8, and Arm without a word is v7. */
function variantOf({ architecture, variant = "" }: Platform): string {
  if (architecture === "arm64") return variant === "" ? "v8" : variant;
  return architecture === "arm" && variant === "" ? "v7" : variant;
}

/** Whether what runs on `platform` is what was asked for. Who names no variant takes any. */
export function fitsPlatform(wanted: Platform, platform: Platform): boolean {
  const isAlike = wanted.os === platform.os && wanted.architecture === platform.architecture;
  return isAlike && (wanted.variant === undefined || variantOf(wanted) === variantOf(platform));
}

/** BuildKit lists its attestations beside images, under a platform that is none. */
export function isNoPlatform({ os, architecture }: Platform): boolean {
  return os === "unknown" || architecture === "unknown";
}

/** Of each word; those of the specification have ten letters or so. */
const LENGTH_MAX = 64;

const isWord = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= LENGTH_MAX;

/**
 * The platform that these properties of a config or a descriptor state. Undefined where they state none, as artifacts do, and
 * BuildKit's attestations, which call it unknown.
 */
export function toPlatform(properties: Readonly<Record<string, unknown>>): Platform | undefined {
  const { os, architecture, variant } = properties;
  if (!isWord(os) || !isWord(architecture) || (os === "unknown" && architecture === "unknown")) return undefined;
  return { os, architecture, ...(isWord(variant) && { variant }) };
}

const ChildrenSchema = v.object({
  manifests: v.array(
    v.object({
      digest: v.pipe(v.string(), v.guard(isDigest)),
      platform: v.fallback(v.optional(PlatformSchema), undefined),
    }),
  ),
});

/** The manifests that an index lists, in its order, with the platform of each that has one. */
export function readChildren(
  bytes: Uint8Array,
): { readonly digest: Digest; readonly platform?: Platform | undefined }[] {
  const parsed = v.safeParse(ChildrenSchema, JSON.parse(new TextDecoder().decode(bytes)));
  return parsed.success ? parsed.output.manifests : [];
}
