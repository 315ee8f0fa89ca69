import type { Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { restoreTag } from "../../src/registry/tag-history.ts";
import { Asker } from "./asker.ts";
import type { ManifestContent } from "./contents.ts";
import { type Operation, PRESENT } from "./model.ts";
import { ACTOR, lifeOf, type Scene } from "./scene.ts";

const descendants = (content: ManifestContent): ManifestContent[] =>
  content.children.flatMap((child) => [child, ...descendants(child)]);

/** Brings back what was deleted. */
export class Restorer {
  readonly #scene: Scene;
  readonly #asker: Asker;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#asker = new Asker(scene);
  }

  /** Makes a tag name a manifest again, deleted or not. It may be refused only for what collection may have taken. */
  async restore(repository: RepositoryName, content: ManifestContent, tag: Tag): Promise<void> {
    const { model } = this.#scene;
    const { digest } = content;
    // Children are pushed one by one, whatever becomes of the rest; and only those that were deleted, which promises nothing.
    const children = model.begin(
      descendants(content).map((child) => ({
        ...{ register: model.manifest(repository, child.digest), value: PRESENT, isPromise: false },
      })),
    );
    const { answer, operation } = await this.#asker.ask(
      `restore ${repository} ${tag} to ${content.name}`,
      [
        { register: model.manifest(repository, digest), value: PRESENT },
        ...model.moveTag(repository, tag, digest, lifeOf(this.#scene, tag, content)),
      ],
      async (context) => await restoreTag(context, { repository, tag }, digest, ACTOR),
    );
    children.end(answer.kind === "done" ? "done" : answer.kind === "lost" ? answer.run : "perhaps");
    if (answer.kind !== "refused") return;
    if (answer.error.code === "MANIFEST_UNKNOWN") this.#explainUnknown(operation, repository, content);
    else {
      const parts = [content, ...descendants(content)];
      const missing = new Set(((answer.error.detail ?? []) as { digest: string }[]).map((entry) => entry.digest));
      const part = parts.find(({ blobs, children: of }) => [...blobs, ...of].some((one) => missing.has(one.digest)));
      this.#asker.explainRefusal(answer.error, operation, repository, part ?? content);
    }
  }

  #explainUnknown(operation: Operation, repository: RepositoryName, content: ManifestContent): void {
    const { model, world } = this.#scene;
    const mayBeGone = [content, ...descendants(content)].some(({ digest }) =>
      model.mayBeCollected(repository, digest, operation.start, world.now),
    );
    if (!mayBeGone) throw world.violate(`${content.name} of ${repository} was collected too early to be restored`);
  }
}
