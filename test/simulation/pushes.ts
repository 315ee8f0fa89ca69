import type { Reference, Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import * as blobs from "../../src/registry/blobs.ts";
import * as manifests from "../../src/registry/manifests.ts";
import { Asker } from "./asker.ts";
import { Deleter } from "./deletions.ts";
import type { Content, ManifestContent } from "./contents.ts";
import { PRESENT } from "./model.ts";
import { ACTOR, lifeOf, type Scene } from "./scene.ts";
import { thinkingTime } from "./times.ts";
import { Uploader } from "./uploader.ts";

/** Pushes, as clients do: they ask first, believe what they hear, and send what is missing. */
export class Pusher {
  readonly #scene: Scene;
  readonly #asker: Asker;
  readonly #uploader: Uploader;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#asker = new Asker(scene);
    this.#uploader = new Uploader(scene);
  }

  async head(repository: RepositoryName, content: Content): Promise<boolean> {
    const { model } = this.#scene;
    const register = model.blob(repository, content.digest);
    const { answer, operation } = await this.#asker.ask(`HEAD ${repository} ${content.name}`, [], async (context) => {
      await blobs.statBlob(context, repository, content.digest);
    });
    this.#asker.expectRefusal(answer, () => this.#asker.sawAbsent(operation, repository, content, register));
    if (answer.kind === "done") operation.saw(register, PRESENT, true);
    return answer.kind === "done";
  }

  async mount(repository: RepositoryName, content: Content, from: RepositoryName | undefined): Promise<boolean> {
    const { model, service } = this.#scene;
    const register = model.blob(repository, content.digest);
    const operation = model.begin([{ register, value: PRESENT }]);
    const mount = { repository, digest: content.digest, from };
    const answer = await service.request(
      `mount ${content.name} from ${from ?? "anywhere"} to ${repository}`,
      async (context) => await blobs.mountBlob(context, mount),
    );
    this.#asker.expectRefusal(answer, () => undefined);
    if (answer.kind !== "done") {
      operation.end(answer.kind === "lost" ? answer.run : "nothing");
      return false;
    }
    operation.end(answer.value ? "done" : "nothing");
    if (from !== undefined) {
      const source = model.blob(from, content.digest);
      if (answer.value) operation.saw(source, PRESENT);
      else this.#asker.sawAbsent(operation, from, content, source);
    }
    return answer.value;
  }

  /** As clients do it: asks first, and uploads what is not there. A client believes that what it was told is there. */
  async ensureBlob(repository: RepositoryName, content: Content): Promise<boolean> {
    const { random, repositories } = this.#scene;
    if (random.chance(0.6) && (await this.head(repository, content))) return true;
    if (random.chance(0.3)) {
      const from = random.chance(0.2) ? undefined : (repositories.find((other) => other !== repository) ?? repository);
      if (await this.mount(repository, content, from)) return true;
    }
    return await this.#uploader.push(repository, content);
  }

  /** Blobs first, or children, then the manifest that names them. */
  async pushImage(repository: RepositoryName, content: ManifestContent, tag: Tag | undefined): Promise<boolean> {
    const { random } = this.#scene;
    for (const child of content.children) if (!(await this.pushImage(repository, child, undefined))) return false;
    if (random.chance(0.3)) {
      const stored = await Promise.all(content.blobs.map(async (blob) => await this.ensureBlob(repository, blob)));
      if (stored.includes(false)) return false;
    } else {
      for (const blob of content.blobs) if (!(await this.ensureBlob(repository, blob))) return false;
    }
    // What it was told holds, as long as the grace lasts.
    if (random.chance(0.3)) await this.#scene.world.pause("a push rests", thinkingTime(random, this.#scene.pace));
    return await this.pushManifest(repository, content, tag);
  }

  /** Asks for all that a manifest holds, rests, and then pushes it: what was promised must be enough. */
  async relyOn(repository: RepositoryName, content: ManifestContent, tag: Tag | undefined): Promise<void> {
    const { random, world, pace } = this.#scene;
    const there = await Promise.all(content.blobs.map(async (blob) => await this.head(repository, blob)));
    if (there.includes(false)) return;
    await world.pause("a push rests", thinkingTime(random, pace));
    await this.pushManifest(repository, content, tag);
  }

  /** Mounts a blob from another repository, which then loses it. */
  async mountAndMove(content: Content): Promise<void> {
    const { random, repositories } = this.#scene;
    const [from, to] = [random.pick(repositories), random.pick(repositories)];
    if (from === to || !(await this.mount(to, content, from))) return;
    await new Deleter(this.#scene).deleteBlob(from, content);
  }

  async pushManifest(repository: RepositoryName, content: ManifestContent, tag: Tag | undefined): Promise<boolean> {
    const { model } = this.#scene;
    const { digest, bytes, mediaType: contentType } = content;
    const reference: Reference = tag === undefined ? { kind: "digest", digest } : { kind: "tag", tag };
    const { answer, operation } = await this.#asker.ask(
      `push ${content.name} to ${repository} ${tag ?? ""}`,
      [
        { register: model.manifest(repository, digest), value: PRESENT },
        ...(tag === undefined ? [] : model.moveTag(repository, tag, digest, lifeOf(this.#scene, tag, content))),
      ],
      async (context) =>
        await manifests.pushManifest(context, { repository, reference, tags: [], bytes, contentType, actor: ACTOR }),
    );
    if (answer.kind === "refused") this.#asker.explainRefusal(answer.error, operation, repository, content);
    if (answer.kind !== "done") return false;
    for (const blob of content.blobs) operation.saw(model.blob(repository, blob.digest), PRESENT, true);
    for (const child of content.children) operation.saw(model.manifest(repository, child.digest), PRESENT);
    return true;
  }
}
