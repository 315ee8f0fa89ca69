import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packTar } from "modern-tar";
import type { ArchiveFile } from "../../../scripts/archive/files.ts";
import { makeFolder } from "../support/server.ts";
import { digestOf } from "../distribution/support/memory-registry.ts";
import { TYPES } from "../distribution/support/images.ts";

export type Files = Readonly<Record<string, string | Uint8Array | { readonly linkTo: string }>>;

/** A tar archive of these files, in their order. */
export async function tarOf(files: Files): Promise<Uint8Array> {
  return await packTar(
    Object.entries(files).map(([name, content]) => {
      if (typeof content === "object" && "linkTo" in content) {
        return { header: { name, size: 0, type: "symlink" as const, linkname: content.linkTo } };
      }
      const body = Buffer.from(content);
      return { header: { name, size: body.length }, body };
    }),
  );
}

/** What a file of an archive holds, from an offset on. */
export async function contentOf(file: ArchiveFile | undefined, offset = 0): Promise<string | undefined> {
  if (!file) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.open(offset)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Writes bytes to a file that goes with the test. */
export function writeTemporary(bytes: Uint8Array): string {
  const file = join(makeFolder(), "archive.tar");
  writeFileSync(file, bytes);
  return file;
}

const hexOf = (content: string) => digestOf(Buffer.from(content)).slice("sha256:".length);
const json = (value: unknown) => JSON.stringify(value);

/** What `docker save` wrote before version 25: layers by their own names, and the second of two equal ones as a link. */
export function savedFiles(name: string, layers: readonly string[]): { files: Files; id: string } {
  const diffIds = layers.map((layer) => `sha256:${hexOf(layer)}`);
  const config = json({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: diffIds } });
  const paths = layers.map((_, position) => `${String(position).repeat(8)}/layer.tar`);
  const files = layers.map((layer, position) => {
    const first = layers.indexOf(layer);
    return [paths[position] ?? "", first === position ? layer : { linkTo: `../${paths[first] ?? ""}` }] as const;
  });
  return {
    id: `sha256:${hexOf(config)}`,
    files: {
      ...Object.fromEntries(files),
      [`${hexOf(config)}.json`]: config,
      "manifest.json": json([{ Config: `${hexOf(config)}.json`, RepoTags: [name], Layers: paths }]),
    },
  };
}

/** An image layout of an index of images, one for each architecture. */
export function layoutFiles(name: string, architectures: readonly string[]) {
  const files: Record<string, string> = { "oci-layout": json({ imageLayoutVersion: "1.0.0" }) };
  const add = (mediaType: string, content: string) => {
    files[`blobs/sha256/${hexOf(content)}`] = content;
    return { mediaType, digest: `sha256:${hexOf(content)}`, size: content.length };
  };
  const images = architectures.map((architecture) => {
    const config = add(TYPES.config, json({ os: "linux", architecture }));
    const layers = [add(TYPES.layer, "base"), add(TYPES.layer, architecture)];
    return add(TYPES.image, json({ schemaVersion: 2, mediaType: TYPES.image, config, layers }));
  });
  const index = add(TYPES.index, json({ schemaVersion: 2, mediaType: TYPES.index, manifests: images }));
  const annotations = { "org.opencontainers.image.ref.name": name };
  files["index.json"] = json({ schemaVersion: 2, manifests: [{ ...index, annotations }] });
  return { files, index, images };
}
