import { type Address, referenceOf } from "../address.ts";
import { type Resource, useResource } from "../resource.ts";
import { useSession } from "../session.tsx";
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

/** Who asks, as part of a resource's key; undefined, which loads nothing, until that is known. */
export function useActor(): string | undefined {
  const { caller } = useSession();
  return caller === undefined ? undefined : (caller?.actor ?? "anyone");
}

/**
 * Reads what a reference names: its manifest, the one of a platform if it is an index, and the config.
 * @param wanted the platform that is asked for, as the page's address has it.
 */
export function useImage(address: Address, wanted: string | undefined): Image {
  const { name } = address;
  const actor = useActor();
  const keyOf = (reference: string) => actor && `manifest ${name} ${reference} ${actor}`;
  const reference = referenceOf(address);
  const root = useResource(keyOf(reference), async (signal) => await readManifest(name, reference, signal));

  const platforms = root.data?.kind === "index" ? platformsOf(root.data.manifests) : [];
  const platform = choosePlatform(platforms, wanted, navigator.userAgent);
  const digest = platform?.descriptor.digest ?? "";
  const child = useResource(platform && keyOf(digest), async (signal) => await readManifest(name, digest, signal));
  const manifest = platform ? child : root;

  const descriptor = manifest.data?.config;
  const config = useResource(descriptor && actor && `config ${name} ${descriptor.digest} ${actor}`, async (signal) =>
    descriptor ? await readConfig(name, descriptor, signal) : undefined,
  );
  return { root, platforms, platform, manifest, config };
}
