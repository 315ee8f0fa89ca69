import { mkdir, writeFile } from "node:fs/promises";
import { expect } from "vitest";
import { basicAuth, createToken } from "../../support/access.ts";
import { imageName, MANIFEST_TYPES, registry } from "../../support/registry.ts";
import type { Workspace } from "../../support/workspace.ts";

/** An index that lists nothing: all that a repository needs to be there. */
const EMPTY_INDEX = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPES.ociIndex, manifests: [] });

/** Requests at once. */
const AT_ONCE = 8;

/** Puts an empty index under each name (`repository:tag`), below a folder of repositories. */
export async function seedTags(folder: string, names: readonly string[]): Promise<void> {
  // A token is looked up in a millisecond; a password takes fifty of computing.
  const authorization = basicAuth(await createToken(`${folder}/**`, "pull", "push"));
  const waiting = names.values();
  const worker = async () => {
    for (const name of waiting) {
      const [repository, tag] = name.split(":");
      const response = await fetch(`${registry.url}/v2/${repository ?? ""}/manifests/${tag ?? ""}`, {
        method: "PUT",
        headers: { authorization, "content-type": MANIFEST_TYPES.ociIndex },
        body: EMPTY_INDEX,
      });
      expect(response.status, `${name}: ${await response.text()}`).toBe(201);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** What an image is made of: the files of each layer, and what `crane mutate` is told. */
export interface MadeImage {
  readonly layers: readonly Readonly<Record<string, string>>[];
  readonly mutations?: readonly string[];
}

/** Makes an image of tar archives and pushes it, by crane, which must be logged in. Answers the archives. */
export async function pushImage(workspace: Workspace, name: string, { layers, mutations = [] }: MadeImage) {
  const archives: string[] = [];
  for (const [index, files] of layers.entries()) {
    const folder = workspace.path(`${name.replaceAll(/\W/g, "-")}-${index}`);
    for (const [path, content] of Object.entries(files)) {
      await mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await writeFile(`${folder}/${path}`, content);
    }
    const archive = `${folder}.tar`;
    await workspace.run("tar", ["--create", "--file", archive, "--directory", folder, "--sort=name", "."]);
    archives.push(archive);
  }
  const image = imageName(name);
  const append = archives.flatMap((archive) => ["--new_layer", archive]);
  await workspace.run("crane", ["append", "--oci-empty-base", ...append, "--new_tag", image]);
  if (mutations.length > 0) await workspace.run("crane", ["mutate", image, ...mutations, "--tag", image]);
  return archives;
}
