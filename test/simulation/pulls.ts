import type { Reference, Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { findManifest } from "../../src/registry/manifests.ts";
import { listReferrers } from "../../src/registry/referrers.ts";
import { Asker } from "./asker.ts";
import type { Content } from "./contents.ts";
import { ABSENT, PRESENT } from "./model.ts";
import { isSame, pullBlob, pullManifest, type Scene } from "./scene.ts";

/** Pulls, and looks at each byte. */
export class Puller {
  readonly #scene: Scene;
  readonly #asker: Asker;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#asker = new Asker(scene);
  }

  /** A pull: the manifest, and the bytes of all that it names. */
  async pull(repository: RepositoryName, reference: Reference): Promise<void> {
    const { model, catalog, world } = this.#scene;
    const name = reference.kind === "tag" ? reference.tag : (catalog.byDigest.get(reference.digest)?.name ?? "");
    const { answer, operation } = await this.#asker.ask(
      `pull ${repository} ${name}`,
      [],
      async (context) => await pullManifest(context, repository, reference),
    );
    this.#asker.expectRefusal(answer, () => {
      if (reference.kind === "tag") operation.saw(model.tag(repository, reference.tag), ABSENT);
      else operation.saw(model.manifest(repository, reference.digest), ABSENT);
    });
    if (answer.kind !== "done") return;
    const { digest, bytes } = answer.value;
    const content = catalog.manifests.find((known) => known.digest === digest);
    if (!content || !isSame(content.bytes, bytes)) throw world.violate(`${repository} ${name} has other bytes`);
    if (reference.kind === "tag") operation.saw(model.tag(repository, reference.tag), digest);
    operation.saw(model.manifest(repository, digest), PRESENT);
    for (const child of content.children) await this.pull(repository, { kind: "digest", digest: child.digest });
    for (const blob of content.blobs) await this.pullBlob(repository, blob);
  }

  /** What a tag names. */
  async lookAt(repository: RepositoryName, tag: Tag): Promise<void> {
    const register = this.#scene.model.tag(repository, tag);
    const { answer, operation } = await this.#asker.ask(
      `look at ${repository} ${tag}`,
      [],
      async (context) => await findManifest(context, repository, { kind: "tag", tag }, false),
    );
    this.#asker.expectRefusal(answer, () => operation.saw(register, ABSENT));
    if (answer.kind === "done") operation.saw(register, answer.value.digest);
  }

  async pullBlob(repository: RepositoryName, content: Content): Promise<void> {
    const { model, world } = this.#scene;
    const register = model.blob(repository, content.digest);
    const { answer, operation } = await this.#asker.ask(
      `pull ${repository} ${content.name}`,
      [],
      async (context) => await pullBlob(context, repository, content),
    );
    this.#asker.expectRefusal(answer, () => this.#asker.sawAbsent(operation, repository, content, register));
    if (answer.kind !== "done") return;
    operation.saw(register, PRESENT);
    if (!isSame(answer.value, content.bytes)) throw world.violate(`${register.name} has other bytes`);
  }

  async listReferrers(repository: RepositoryName): Promise<void> {
    const { model, catalog } = this.#scene;
    const [subject] = catalog.manifests;
    const artifact = catalog.manifests.at(-1);
    if (!subject || !artifact) return;
    const query = { repository, subject: subject.digest, artifactType: undefined, limit: 10, after: undefined };
    const { answer, operation } = await this.#asker.ask(
      `referrers of ${repository} ${subject.name}`,
      [],
      async (context) => await listReferrers(context, query),
    );
    this.#asker.expectRefusal(answer, () => undefined);
    if (answer.kind !== "done") return;
    const isListed = answer.value.entries.some(({ digest }) => digest === artifact.digest);
    operation.saw(model.manifest(repository, artifact.digest), isListed ? PRESENT : ABSENT);
  }
}
