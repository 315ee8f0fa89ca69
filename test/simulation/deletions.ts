import type { Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import * as blobs from "../../src/registry/blobs.ts";
import * as manifests from "../../src/registry/manifests.ts";
import { deleteRepository } from "../../src/registry/repositories.ts";
import { Asker } from "./asker.ts";
import type { Content, ManifestContent } from "./contents.ts";
import { ABSENT } from "./model.ts";
import { ACTOR, type Scene } from "./scene.ts";

/** Deletes what nothing holds, and learns of what is held. */
export class Deleter {
  readonly #scene: Scene;
  readonly #asker: Asker;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#asker = new Asker(scene);
  }

  async deleteBlob(repository: RepositoryName, content: Content): Promise<void> {
    const register = this.#scene.model.blob(repository, content.digest);
    const { answer, operation } = await this.#asker.ask(
      `delete ${repository} ${content.name}`,
      [{ register, value: ABSENT }],
      async (context) => await blobs.deleteBlob(context, { repository, digest: content.digest, actor: ACTOR }),
    );
    this.#asker.expectRefusal(answer, () => this.#asker.sawAbsent(operation, repository, content, register), [
      "UNSUPPORTED",
    ]);
  }

  async deleteTag(repository: RepositoryName, tag: Tag): Promise<void> {
    const register = this.#scene.model.tag(repository, tag);
    const { answer, operation } = await this.#asker.ask(
      `delete ${repository} ${tag}`,
      [{ register, value: ABSENT }],
      async (context) =>
        await manifests.deleteManifest(context, { repository, reference: { kind: "tag", tag }, actor: ACTOR }),
    );
    this.#asker.expectRefusal(answer, () => operation.saw(register, ABSENT));
  }

  /** Deletes a manifest, and those tags that name it. */
  async deleteManifest(repository: RepositoryName, content: ManifestContent): Promise<void> {
    const { model } = this.#scene;
    const { digest } = content;
    const register = model.manifest(repository, digest);
    const tags = model.of(repository, "tag").map((tag) => ({ register: tag, value: ABSENT, over: digest }));
    const { answer, operation } = await this.#asker.ask(
      `delete ${repository} ${content.name}`,
      [{ register, value: ABSENT }, ...tags],
      async (context) =>
        await manifests.deleteManifest(context, { repository, reference: { kind: "digest", digest }, actor: ACTOR }),
    );
    this.#asker.expectRefusal(answer, () => this.#asker.sawAbsent(operation, repository, content, register), [
      "UNSUPPORTED",
    ]);
  }

  async deleteRepository(repository: RepositoryName): Promise<void> {
    const { model } = this.#scene;
    const all = (["blob", "manifest", "tag"] as const).flatMap((kind) => model.of(repository, kind));
    const { answer, operation } = await this.#asker.ask(
      `delete ${repository}`,
      all.map((register) => ({ register, value: ABSENT, isFinal: true })),
      async (context) => await deleteRepository(context, repository, ACTOR),
    );
    this.#asker.expectRefusal(answer, () => {
      for (const register of all) operation.saw(register, ABSENT);
    });
  }
}
