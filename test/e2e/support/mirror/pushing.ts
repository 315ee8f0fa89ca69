import { randomUUID } from "node:crypto";
import type { Credentials } from "../access.ts";
import { type ImageDescription, writeImageLayout, writeIndexLayout } from "../images.ts";
import type { Descriptor } from "../registry.ts";
import { createWorkspace } from "../workspace.ts";

/** A registry that is pushed to, and who pushes. */
export interface PushTarget extends Credentials {
  readonly host: string;
}

export interface PushedIndex {
  readonly index: Descriptor;
  readonly images: readonly Descriptor[];
}

/** Puts an image like no other under a tag of a registry. */
export async function pushImage(
  to: PushTarget,
  repository: string,
  tag: string,
  image: ImageDescription = { layers: ["file"] },
): Promise<Descriptor> {
  return await push(to, `${repository}:${tag}`, async (layout) => await writeImageLayout(layout, "v1", image));
}

/** Puts an index under a tag of a registry, with an image for each architecture. */
export async function pushIndex(
  to: PushTarget,
  repository: string,
  tag: string,
  architectures: readonly string[],
): Promise<PushedIndex> {
  return await push(to, `${repository}:${tag}`, async (layout) => await writeIndexLayout(layout, "v1", architectures));
}

async function push<T>(
  { host, username, password }: PushTarget,
  image: string,
  write: (layout: string) => Promise<T>,
): Promise<T> {
  const workspace = await createWorkspace();
  try {
    const layout = workspace.path(`layout-${randomUUID()}`);
    const written = await write(layout);
    await workspace.run("skopeo", [
      ...["copy", "--quiet", "--all", "--preserve-digests", "--dest-tls-verify=false"],
      ...["--dest-creds", `${username}:${password}`, `oci:${layout}:v1`, `docker://${host}/${image}`],
    ]);
    return written;
  } finally {
    await workspace.remove();
  }
}
