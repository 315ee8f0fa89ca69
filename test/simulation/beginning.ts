import type { Context } from "../../src/context.ts";
import { setRetentionRule } from "../../src/lifecycle/retention-rules.ts";
import { previewRetention } from "../../src/lifecycle/retention-runs.ts";
import type { Reference, Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import type { RepositoryPattern } from "../../src/policy/pattern.ts";
import { pushManifest } from "../../src/registry/manifests.ts";
import { setRepository } from "../../src/registry/repositories.ts";
import { putBlob } from "../../src/registry/uploads.ts";
import type { ManifestContent } from "./contents.ts";
import { PRESENT } from "./model.ts";
import { ACTOR, lifeOf, type Scene } from "./scene.ts";
import type { RuleBook } from "./rules.ts";
import { SimulatedStream } from "./streams.ts";
import { ruleValue } from "./tag-lives.ts";

/** What is there before anybody comes, pushed in peace: else most that clients ask for would not be there. */
export async function prepare(scene: Scene): Promise<void> {
  const { network, random, repositories, catalog, tags, service, books } = scene;
  network.isCalm = true;
  if (scene.hasExpiringTags) await service.calmly(async (context) => await letTagsExpire(context));
  for (const book of books) if (random.chance(0.8)) await keepBy(scene, book);
  for (const repository of repositories) {
    for (const manifest of catalog.manifests.slice(0, random.pick([0, 1, 1, 2, 3]))) {
      await store(scene, repository, manifest, random.chance(0.6) ? random.pick(tags) : undefined);
    }
  }
  network.isCalm = false;
}

async function letTagsExpire(context: Context): Promise<void> {
  const others = {
    visibility: undefined,
    immutableTags: undefined,
    exceptTags: [],
    description: undefined,
    stars: undefined,
    official: undefined,
  };
  await setRepository(context, { repository: "**" as RepositoryPattern, expiringTags: true, ...others }, ACTOR);
}

/** A rule that removes from the beginning. */
async function keepBy({ service, model }: Scene, { name, variants }: RuleBook): Promise<void> {
  const operation = model.begin([{ register: model.rule(name), value: ruleValue(0, true) }]);
  await service.calmly(async (context) => {
    await setRetentionRule(context, name, variants[0], ACTOR);
    await previewRetention(context, { name }, undefined);
  });
  operation.end("done");
}

async function store(scene: Scene, repository: RepositoryName, content: ManifestContent, tag?: Tag): Promise<void> {
  const { service, model } = scene;
  const { digest, bytes, mediaType: contentType } = content;
  const operation = model.begin([
    ...content.blobs.map((blob) => ({ register: model.blob(repository, blob.digest), value: PRESENT })),
    { register: model.manifest(repository, digest), value: PRESENT },
    ...(tag === undefined ? [] : model.moveTag(repository, tag, digest, lifeOf(scene, tag, content))),
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
