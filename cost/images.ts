import { PART_SIZE_BYTES } from "../src/oci/upload-session.ts";
import { type Calls, sum, times } from "./calls.ts";
import { costOf } from "./operations.ts";

/** An image of one platform: a manifest, a config, and layers. */
export interface Image {
  readonly layers: number;
  /** Of each layer. */
  readonly layerBytes: number;
}

/** The requests by which clients pull a public image; what they ask for in the end is the same. */
interface PullHabit {
  readonly clients: string;
  /** Before the config and the layers. Of content by digest, the edge may hold some. */
  readonly before: (content: Calls) => Calls;
  readonly content: (cold: Calls) => Calls;
}

const withoutToken = costOf("withoutToken");
const asItIs = (calls: Calls) => calls;

/** As they were seen to pull. */
export const PULL_HABITS = {
  docker: {
    clients: "docker 20.10",
    before: (manifest) => sum(costOf("challenge"), costOf("anonymousToken"), costOf("getManifestByTag"), manifest),
    content: asItIs,
  },
  podman: {
    clients: "podman, skopeo, crane",
    before: () => sum(costOf("challenge"), costOf("anonymousToken"), costOf("getManifestByTag")),
    content: asItIs,
  },
  containerd: {
    clients: "containerd, and so Kubernetes: without a token",
    before: (manifest) => sum(costOf("getManifestByTag"), withoutToken, manifest, withoutToken),
    content: (cold) => sum(cold, withoutToken),
  },
} as const satisfies Readonly<Record<string, PullHabit>>;

export type PullHabitName = keyof typeof PULL_HABITS;

/** What it costs to pull a public image. `cached`, from 0 to 1, is how much of the content by digest the edge has already. */
export function pullOf({ layers }: Image, habit: PullHabitName, cached: number): Calls {
  const { before, content }: PullHabit = PULL_HABITS[habit];
  const partlyCached = (cold: Calls, warm: Calls) => sum(times(1 - cached, cold), times(cached, warm));
  const blob = partlyCached(sum(costOf("getBlob"), costOf("fillCache")), costOf("getCachedBlob"));
  const manifest = partlyCached(costOf("getManifestByDigest"), costOf("getCachedManifest"));
  return sum(before(manifest), times(layers + 1, content(blob)));
}

/** What it costs to push an image as docker does, when the registry has nothing of it yet. */
export function pushOf({ layers, layerBytes }: Image): Calls {
  const parts = Math.ceil(layerBytes / PART_SIZE_BYTES);
  const layer = parts > 1 ? costOf("pushLargeBlob", parts) : costOf("pushSmallBlob");
  return sum(
    costOf("challenge"),
    costOf("accountToken"),
    times(layers + 1, costOf("headAbsentBlob")),
    costOf("pushSmallBlob"),
    times(layers, layer),
    costOf("pushManifest", layers + 1),
    costOf("lookAtOtherTags"),
  );
}
