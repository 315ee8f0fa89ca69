import type { Reference, Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { pushManifest } from "../../src/registry/manifests.ts";
import { putBlob } from "../../src/registry/uploads.ts";
import type { ManifestContent } from "./contents.ts";
import { PRESENT } from "./model.ts";
import { ACTOR, type Scene } from "./scene.ts";
import { SimulatedStream } from "./streams.ts";

/** What is there before anybody comes, pushed in peace: else most that clients ask for would not be there. */
export async function prepare(scene: Scene): Promise<void> {
  const { network, random, repositories, catalog, tags } = scene;
  network.isCalm = true;
  for (const repository of repositories) {
    for (const manifest of catalog.manifests.slice(0, random.pick([0, 1, 1, 2, 3]))) {
      await store(scene, repository, manifest, random.chance(0.6) ? random.pick(tags) : undefined);
    }
  }
  network.isCalm = false;
}

async function store(scene: Scene, repository: RepositoryName, content: ManifestContent, tag?: Tag): Promise<void> {
  const { service, model } = scene;
  const { digest, bytes, mediaType: contentType } = content;
  const operation = model.begin([
    ...content.blobs.map((blob) => ({ register: model.blob(repository, blob.digest), value: PRESENT })),
    { register: model.manifest(repository, digest), value: PRESENT },
    ...(tag === undefined ? [] : [{ register: model.tag(repository, tag), value: digest }]),
  ]);
  const reference: Reference = tag === undefined ? { kind: "digest", digest } : { kind: "tag", tag };
  await service.calmly(async (context) => {
    for (const blob of content.blobs) {
      const body = SimulatedStream.ofBytes(blob.bytes).asStream;
      await putBlob(context, repository, blob.digest, body, blob.bytes.byteLength);
    }
    await pushManifest(context, { repository, reference, tags: [], bytes, contentType, actor: ACTOR });
  });
  operation.end("done");
}
