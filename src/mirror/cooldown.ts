import * as v from "valibot";
import type { Context } from "../context.ts";
import type { WaitingTag } from "../metadata/mirrored.ts";
import { isDigest } from "../oci/digest.ts";
import type { Digest } from "../oci/digest.ts";
import { CONFIG_MAX_BYTES } from "../oci/image-config.ts";
import type { MirrorAddress } from "../policy/upstream.ts";
import { readAnswer } from "./answer-body.ts";
import { askUpstream } from "./upstream.ts";
import { getManifest, type UpstreamManifest } from "./upstream-manifests.ts";

/** Before that there were no images: builds that are to be reproducible state such times, which say nothing. */
const FIRST_IMAGE = Date.UTC(2013, 0, 1);

const DescriptorSchema = v.object({ digest: v.string(), size: v.number() });
const CREATED = "org.opencontainers.image.created";

/** What of a manifest leads to the time at which an image was made. */
const ManifestSchema = v.object({
  annotations: v.nullish(v.record(v.string(), v.unknown())),
  config: v.nullish(DescriptorSchema),
  manifests: v.nullish(v.array(DescriptorSchema)),
});

const ConfigSchema = v.object({ created: v.string() });

/** A time that an image could have been made at, in milliseconds since the epoch. */
function plausible(text: unknown, now: number): number | undefined {
  const time = typeof text === "string" ? Date.parse(text) : NaN;
  return time >= FIRST_IMAGE && time <= now ? time : undefined;
}

function parse<S extends v.GenericSchema>(schema: S, bytes: Uint8Array): v.InferOutput<S> | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(new TextDecoder().decode(bytes)));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

async function readConfig(
  context: Context,
  address: MirrorAddress,
  { digest, size }: v.InferOutput<typeof DescriptorSchema>,
): Promise<Uint8Array | undefined> {
  if (!isDigest(digest) || size > CONFIG_MAX_BYTES) return undefined;
  const response = await askUpstream(context, address, { method: "GET", path: `blobs/${digest}` });
  const bytes = await readAnswer(address.upstream, response, size);
  return bytes.byteLength === size ? bytes : undefined;
}

/**
 * When an image says that it was made: by its annotations, else by its config, or that of the first image of an index. Up to two requests.
 * Undefined where it says nothing that could be true.
 */
async function madeAt(
  context: Context,
  address: MirrorAddress,
  { bytes }: UpstreamManifest,
  depth = 0,
): Promise<number | undefined> {
  const manifest = parse(ManifestSchema, bytes);
  const now = context.now();
  const annotated = plausible(manifest?.annotations?.[CREATED], now);
  if (annotated !== undefined) return annotated;
  const child = manifest?.manifests?.[0]?.digest ?? "";
  if (isDigest(child) && depth === 0) {
    const image = await getManifest(context, address, { kind: "digest", digest: child });
    return await madeAt(context, address, image, depth + 1);
  }
  const config = manifest?.config && (await readConfig(context, address, manifest.config));
  return config ? plausible(parse(ConfigSchema, config)?.created, now) : undefined;
}

/** What a tag names at the upstream, and what is known of that. */
export interface Candidate {
  readonly manifest: UpstreamManifest;
  /** What the tag names here. */
  readonly current: Digest | undefined;
  /** What it was seen to name instead, and since when. */
  readonly waiting: WaitingTag | undefined;
}

/** Whether something may be served, or since when it waits for that: milliseconds since the epoch. */
export type Ripeness = { readonly isRipe: true } | { readonly isRipe: false; readonly since: number };

/**
 * Whether what a tag names is old enough. A tag that has moved waits from when that was first seen: what an image says of its own age,
 * whoever made it may have made up. Only of a tag that is new here there is nothing else to go by.
 */
export async function ripenessOf(
  context: Context,
  address: MirrorAddress,
  { manifest, current, waiting }: Candidate,
): Promise<Ripeness> {
  const { cooldownMs } = address.upstream;
  if (cooldownMs === undefined || manifest.digest === current) return { isRipe: true };
  const now = context.now();
  const seenSince = waiting?.digest === manifest.digest ? waiting.since : now;
  const stated = current === undefined ? await madeAt(context, address, manifest) : undefined;
  const since = Math.min(stated ?? now, seenSince);
  return now - since >= cooldownMs ? { isRipe: true } : { isRipe: false, since };
}
