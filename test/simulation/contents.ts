import { createHash } from "node:crypto";
import type { Digest } from "../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../src/oci/media-type.ts";
import { EXPIRES_AFTER } from "../../src/policy/expiring-tag.ts";
import type { Random } from "./random.ts";
import { HOUR_MS } from "./times.ts";

/** Bytes and their digest. */
export interface Content {
  readonly name: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** A manifest, with all that has to be in the repository before it. */
export interface ManifestContent extends Content {
  readonly mediaType: string;
  readonly blobs: readonly Content[];
  readonly children: readonly ManifestContent[];
  /** What it says something about: a signature lives as long as that. */
  readonly subject?: ManifestContent;
  /** How long tags live that its push moves, as its annotation has it. */
  readonly lifeMs?: number;
}

/** What the clients of one history push: little, so that they meet. */
export interface Catalog {
  readonly blobs: readonly Content[];
  readonly manifests: readonly ManifestContent[];
  readonly byDigest: ReadonlyMap<string, Content>;
}

/** With parts of 32 bytes and inline tails of 8: none, inline, one piece, nearly a part, exactly two, some and a tail. */
const SIZES = [0, 5, 11, 30, 64, 75, 110];

/** Too large for a row: see scale.ts. */
const PADDING = { padding: "x".repeat(1_300) };

/** Tags of its push live as long. */
const LIFE_MS = 2 * HOUR_MS;

function makeContent(name: string, bytes: Uint8Array): Content {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
  return { name, digest, bytes };
}

/** Contents of all histories: no two parts of one are alike. */
const POOL: readonly Content[] = SIZES.map((size, n) =>
  makeContent(
    `blob${n}`,
    Uint8Array.from({ length: size }, (_, i) => (i * 7 + n * 31) % 251),
  ),
);

const describe = ({ digest, bytes }: Content, mediaType: string) => ({ mediaType, digest, size: bytes.byteLength });

function makeManifest(
  name: string,
  mediaType: string,
  json: object,
  holds: Pick<ManifestContent, "blobs" | "children">,
): ManifestContent {
  const text = JSON.stringify({ schemaVersion: 2, mediaType, ...json });
  return { ...makeContent(name, new TextEncoder().encode(text)), mediaType, ...holds };
}

function makeImage(name: string, blobs: readonly Content[], extras: object): ManifestContent {
  const [config, ...layers] = blobs.map((blob) => describe(blob, MEDIA_TYPES.octetStream));
  return makeManifest(name, MEDIA_TYPES.ociManifest, { config, layers, ...extras }, { blobs, children: [] });
}

function makeMortal(name: string, blobs: readonly Content[]): ManifestContent {
  const annotations = { [EXPIRES_AFTER]: `${LIFE_MS / HOUR_MS}h` };
  return { ...makeImage(name, blobs, { annotations }), lifeMs: LIFE_MS };
}

function makeIndex(name: string, children: readonly ManifestContent[], extras: object): ManifestContent {
  const manifests = children.map((child) => describe(child, child.mediaType));
  return makeManifest(name, MEDIA_TYPES.ociIndex, { manifests, ...extras }, { blobs: [], children });
}

/** A few blobs, and manifests of every kind over them. */
export function makeCatalog(random: Random, hasLives: boolean): Catalog {
  const start = random.below(POOL.length);
  const blobs = [0, 1, 2, 3].map((n) => POOL[(start + n * 2) % POOL.length] ?? POOL[0]!);
  const [a, b, c, d] = blobs as [Content, Content, Content, Content];
  const padding = () => (random.chance(0.4) ? { annotations: PADDING } : {});
  const image = makeImage("image", [a, b], padding());
  const other = hasLives ? makeMortal("other", [b, c, d]) : makeImage("other", [b, c, d], padding());
  const index = makeIndex("index", [image, other], padding());
  const nested = makeIndex("nested", [index], {});
  const subject = { subject: describe(image, image.mediaType) };
  const extras = { ...subject, artifactType: "test/signature", ...padding() };
  const artifact = { ...makeImage("artifact", [a, d], extras), subject: image };
  const manifests = [image, other, index, nested, artifact];
  return { blobs, manifests, byDigest: new Map([...blobs, ...manifests].map((content) => [content.digest, content])) };
}
