import { createHash, randomBytes, randomFillSync } from "node:crypto";
import { Readable } from "node:stream";

/** Programs that look inside a layer, as skopeo does, take it for compressed and leave it as it is. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
const UNIQUE_BYTES = 16;
const PIECE_BYTES = 1_000_000;

const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";
export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** A descriptor as it stands in a manifest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Bytes with their descriptor. They lie in memory, in pieces that a stream takes as they are. */
export interface Blob {
  readonly descriptor: Descriptor;
  readonly pieces: readonly Buffer[];
}

export interface Image {
  readonly config: Blob;
  readonly layers: readonly Blob[];
  readonly manifest: Blob;
}

/** Random bytes that no compression makes smaller, made once: each layer is the beginning of them after bytes of its own. */
export class Content {
  readonly #bytes: Buffer;

  /** @param longest - The size of the largest layer. */
  constructor(longest: number) {
    this.#bytes = randomFillSync(Buffer.allocUnsafe(longest));
  }

  /** A layer that nobody has seen before. */
  layer(size: number): Blob {
    const unique = Buffer.concat([GZIP_HEADER, randomBytes(UNIQUE_BYTES)]);
    const pieces: Buffer[] = [unique];
    for (let start = unique.length; start < size; start += PIECE_BYTES) {
      pieces.push(this.#bytes.subarray(start, Math.min(start + PIECE_BYTES, size)));
    }
    return blobOf(LAYER_TYPE, pieces);
  }

  /** So many of them. */
  layers(count: number, size: number): Blob[] {
    return Array.from({ length: count }, () => this.layer(size));
  }
}

/** An image of these layers, with a config of its own. */
export function imageOf(layers: readonly Blob[]): Image {
  const config = blobOfJson(CONFIG_TYPE, {
    architecture: "amd64",
    os: "linux",
    config: { Labels: { unique: randomBytes(UNIQUE_BYTES).toString("hex") } },
    rootfs: { type: "layers", diff_ids: layers.map(({ descriptor }) => descriptor.digest) },
  });
  const manifest = blobOfJson(MANIFEST_TYPE, {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  return { config, layers, manifest };
}

/** The blob's bytes, as a stream. */
export function streamOf({ pieces }: Blob): Readable {
  return Readable.from(pieces, { objectMode: false });
}

function blobOfJson(mediaType: string, value: unknown): Blob {
  return blobOf(mediaType, [Buffer.from(JSON.stringify(value))]);
}

function blobOf(mediaType: string, pieces: readonly Buffer[]): Blob {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  return { descriptor: { mediaType, digest: `sha256:${hash.digest("hex")}`, size }, pieces };
}
