import { expect } from "vitest";
import { packTar, type TarHeader } from "modern-tar";
import { digestOf, MANIFEST_TYPES, requestRegistry } from "../../support/registry.ts";

/** A file of a layer, with its content. */
export type File = Pick<TarHeader, "name"> & Partial<TarHeader> & { readonly content?: string };

/** A layer as an archive. */
export async function archiveOf(files: readonly File[]): Promise<Uint8Array<ArrayBuffer>> {
  return await packTar(
    files.map(({ content = "", ...header }) => ({
      header: { size: content.length, mtime: new Date(0), ...header },
      body: content,
    })),
  );
}

/** An image whose layers are these bytes, whatever they are, with what is said of how each was made. */
export interface RawImage {
  readonly layers: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly createdBy?: string }[];
  readonly env?: readonly string[];
}

const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";

async function pushBlob(repository: string, mediaType: string, bytes: Uint8Array<ArrayBuffer>) {
  const digest = digestOf(bytes);
  const response = await requestRegistry("POST", `${repository}/blobs/uploads/?digest=${digest}`, {}, bytes);
  expect(response.status).toBe(201);
  return { mediaType, digest, size: bytes.length };
}

const encode = (value: object): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value));

/** Pushes an image past all clients, which would refuse such layers. Its digest. */
export async function pushRawImage(repository: string, tag: string, { layers, env = [] }: RawImage): Promise<string> {
  const descriptors = [];
  for (const { bytes } of layers) descriptors.push(await pushBlob(repository, LAYER_TYPE, bytes));
  const config = await pushBlob(
    repository,
    CONFIG_TYPE,
    encode({
      ...{ os: "linux", architecture: "amd64", config: { Env: env }, rootfs: { type: "layers", diff_ids: [] } },
      history: layers.flatMap(({ createdBy }) => [
        { created_by: "ENV EMPTY=1", empty_layer: true },
        { created_by: createdBy },
      ]),
    }),
  );
  const mediaType = MANIFEST_TYPES.ociManifest;
  const manifest = encode({ schemaVersion: 2, mediaType, config, layers: descriptors });
  const headers = { "content-type": mediaType };
  const response = await requestRegistry("PUT", `${repository}/manifests/${tag}`, headers, manifest);
  expect(response.status, await response.text()).toBe(201);
  return digestOf(manifest);
}
