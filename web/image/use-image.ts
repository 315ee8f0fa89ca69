import { type Address, referenceOf } from "../address.ts";
import { useOwnResource } from "../own-resource.ts";
import type { Resource } from "../resource.ts";
import { type StoredConfig, readConfig, readManifest } from "./read.ts";
import type { StoredManifest } from "./manifest.ts";
import { choosePlatform, type PlatformImage, platformsOf } from "./platforms.ts";

/** What a reference names. */
export interface Image {
  /** What the reference names itself: of an index, that index. */
  readonly root: Resource<StoredManifest>;
  /** The images of an index; empty for what is none. */
  readonly platforms: readonly PlatformImage[];
  /** The one that is shown. */
  readonly platform: PlatformImage | undefined;
  /** The manifest that is shown: of the platform, or the root itself. */
  readonly manifest: Resource<StoredManifest>;
  readonly config: Resource<StoredConfig | undefined>;
}

/**
 * Reads what a reference names: its manifest, the one of a platform if it is an index, and the config.
 * @param wanted the platform that is asked for, as the page's address has it.
 */
export function useImage(address: Address, wanted: string | undefined): Image {
  const { name } = address;
  const keyOf = (reference: string) => `manifest ${name} ${reference}`;
  const reference = referenceOf(address);
  const root = useOwnResource(keyOf(reference), async (signal) => await readManifest(name, reference, signal));

  const platforms = root.data?.kind === "index" ? platformsOf(root.data.manifests) : [];
  const platform = choosePlatform(platforms, wanted, navigator.userAgent);
  const digest = platform?.descriptor.digest ?? "";
  const child = useOwnResource(platform && keyOf(digest), async (signal) => await readManifest(name, digest, signal));
  const manifest = platform ? child : root;

  const descriptor = manifest.data?.config;
  const config = useOwnResource(descriptor && `config ${name} ${descriptor.digest}`, async (signal) =>
    descriptor ? await readConfig(name, descriptor, signal) : undefined,
  );
  return { root, platforms, platform, manifest, config };
}
