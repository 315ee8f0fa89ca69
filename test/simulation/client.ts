import type { RepositoryName } from "../../src/oci/repository-name.ts";
import type { Reference, Tag } from "../../src/oci/reference.ts";
import type { Actor } from "../../src/policy/actor.ts";
import * as blobs from "../../src/registry/blobs.ts";
import * as manifests from "../../src/registry/manifests.ts";
import { listReferrers } from "../../src/registry/referrers.ts";
import { deleteRepository } from "../../src/registry/repositories.ts";
import type { ErrorCode } from "../../src/oci/error.ts";
import type { Context } from "../../src/context.ts";
import type { Catalog, Content, ManifestContent } from "./contents.ts";
import { ABSENT, type Effect, type Model, type Operation, PRESENT, type Register } from "./model.ts";
import type { Random } from "./random.ts";
import type { Answer, Run } from "./run.ts";
import type { Service } from "./service.ts";
import type { SimulatedStream } from "./streams.ts";
import { Uploader } from "./uploader.ts";
import type { World } from "./world.ts";

/** Where a history takes place, and what is known of it. */
export interface Scene {
  readonly world: World;
  readonly random: Random;
  readonly service: Service;
  readonly model: Model;
  readonly catalog: Catalog;
  readonly repositories: readonly RepositoryName[];
  readonly tags: readonly Tag[];
}

const ACTOR: Actor = { name: "account:someone", credential: "password" };
const UNKNOWN: readonly ErrorCode[] = ["BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN"];

/** The bytes that an operation gave, as a stream or as a text. */
export async function readAll(body: ReadableStream | string): Promise<Uint8Array> {
  if (typeof body === "string") return new TextEncoder().encode(body);
  return await (body as unknown as SimulatedStream).collect();
}

/** A manifest as a pull gets it. */
export async function pullManifest(context: Context, repository: RepositoryName, reference: Reference) {
  const found = await manifests.findManifest(context, repository, reference, true);
  return { digest: found.digest, bytes: await readAll(await manifests.readManifest(context, found)) };
}

/** A blob as a pull gets it. */
export async function pullBlob(context: Context, repository: RepositoryName, content: Content): Promise<Uint8Array> {
  const found = await blobs.statBlob(context, repository, content.digest);
  return await readAll(await blobs.readBlob(context, found));
}

export const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Somebody who sends requests, believes the answers, and tells the model of both. */
export class Client {
  readonly #scene: Scene;
  readonly #uploader: Uploader;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#uploader = new Uploader(scene);
  }

  /** What is to happen to a register of the model, if the answer says so. */
  async #ask<T>(
    label: string,
    effects: readonly Effect[],
    work: (context: Context, run: Run) => Promise<T>,
  ): Promise<{ answer: Answer<T>; operation: Operation }> {
    const operation = this.#scene.model.begin(effects);
    const answer = await this.#scene.service.request(label, work);
    operation.end(answer.kind === "done" ? "done" : answer.kind === "refused" ? "nothing" : answer.run);
    return { answer, operation };
  }

  /** A refusal that says that something is not there, which is true or a violation; or another of the codes that may come. */
  #expectRefusal(answer: Answer<unknown>, sawAbsent: () => void, others: readonly ErrorCode[] = []): void {
    if (answer.kind !== "refused") return;
    const { code, message } = answer.error;
    if (UNKNOWN.includes(code)) sawAbsent();
    else if (!others.includes(code)) throw this.#scene.world.violate(`refused by ${code}: ${message}`);
  }

  /** Content is gone, as a client was told: no manifest that is certainly there may hold it. */
  #sawAbsent(operation: Operation, repository: RepositoryName, content: Content, register: Register): void {
    const { model, catalog, world } = this.#scene;
    for (const holder of catalog.manifests) {
      if (![...holder.blobs, ...holder.children].some(({ digest }) => digest === content.digest)) continue;
      const possible = model.manifest(repository, holder.digest).possible(operation.start, world.now);
      if (!possible.has(ABSENT)) throw world.violate(`${register.name} is absent, and ${holder.name} holds it`);
    }
    operation.saw(register, ABSENT);
  }

  async head(repository: RepositoryName, content: Content): Promise<boolean> {
    const { model } = this.#scene;
    const register = model.blob(repository, content.digest);
    const { answer, operation } = await this.#ask(`HEAD ${repository} ${content.name}`, [], async (context) => {
      await blobs.statBlob(context, repository, content.digest);
    });
    this.#expectRefusal(answer, () => this.#sawAbsent(operation, repository, content, register));
    if (answer.kind === "done") operation.saw(register, PRESENT);
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
    this.#expectRefusal(answer, () => undefined);
    if (answer.kind !== "done") {
      operation.end(answer.kind === "lost" ? answer.run : "nothing");
      return false;
    }
    operation.end(answer.value ? "done" : "nothing");
    if (from !== undefined) {
      const source = model.blob(from, content.digest);
      if (answer.value) operation.saw(source, PRESENT);
      else this.#sawAbsent(operation, from, content, source);
    }
    return answer.value;
  }

  /** As clients do it: asks first, and uploads what is not there. A client believes that what it was told is there. */
  async ensureBlob(repository: RepositoryName, content: Content): Promise<boolean> {
    const { random, repositories } = this.#scene;
    if (random.chance(0.6) && (await this.head(repository, content))) return true;
    if (random.chance(0.3)) {
      const from = random.chance(0.2) ? undefined : random.pick(repositories);
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
    return await this.pushManifest(repository, content, tag);
  }

  async pushManifest(repository: RepositoryName, content: ManifestContent, tag: Tag | undefined): Promise<boolean> {
    const { model, world } = this.#scene;
    const { digest, bytes, mediaType: contentType } = content;
    const reference: Reference = tag === undefined ? { kind: "digest", digest } : { kind: "tag", tag };
    const { answer, operation } = await this.#ask(
      `push ${content.name} to ${repository} ${tag ?? ""}`,
      [
        { register: model.manifest(repository, digest), value: PRESENT },
        ...(tag === undefined ? [] : [{ register: model.tag(repository, tag), value: digest }]),
      ],
      async (context) =>
        await manifests.pushManifest(context, { repository, reference, tags: [], bytes, contentType, actor: ACTOR }),
    );
    const held = [
      ...content.blobs.map((blob) => ({ blob, register: model.blob(repository, blob.digest) })),
      ...content.children.map((child) => ({ blob: child, register: model.manifest(repository, child.digest) })),
    ];
    if (answer.kind === "done") for (const { register } of held) operation.saw(register, PRESENT);
    if (answer.kind !== "refused") return answer.kind === "done";
    const { code, detail } = answer.error;
    if (code === "MANIFEST_BLOB_UNKNOWN") {
      const missing = new Set((detail as { digest: string }[]).map((entry) => entry.digest));
      for (const { blob, register } of held) {
        if (missing.has(blob.digest)) this.#sawAbsent(operation, repository, blob, register);
      }
    } else if (code !== "UNAVAILABLE" || held.every(({ register }) => !this.#mayBeAbsent(operation, register))) {
      throw world.violate(`push of ${content.name} refused by ${code}: ${answer.error.message}`);
    }
    return false;
  }

  #mayBeAbsent(operation: Operation, register: Register): boolean {
    return register.possible(operation.start, this.#scene.world.now).has(ABSENT);
  }

  /** A pull: the manifest, and the bytes of all that it names. */
  async pull(repository: RepositoryName, reference: Reference): Promise<void> {
    const { model, catalog, world } = this.#scene;
    const name = reference.kind === "tag" ? reference.tag : (catalog.byDigest.get(reference.digest)?.name ?? "");
    const { answer, operation } = await this.#ask(
      `pull ${repository} ${name}`,
      [],
      async (context) => await pullManifest(context, repository, reference),
    );
    this.#expectRefusal(answer, () => {
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

  async pullBlob(repository: RepositoryName, content: Content): Promise<void> {
    const { model, world } = this.#scene;
    const register = model.blob(repository, content.digest);
    const { answer, operation } = await this.#ask(
      `pull ${repository} ${content.name}`,
      [],
      async (context) => await pullBlob(context, repository, content),
    );
    this.#expectRefusal(answer, () => this.#sawAbsent(operation, repository, content, register));
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
    const { answer, operation } = await this.#ask(
      `referrers of ${repository} ${subject.name}`,
      [],
      async (context) => await listReferrers(context, query),
    );
    this.#expectRefusal(answer, () => undefined);
    if (answer.kind !== "done") return;
    const isListed = answer.value.entries.some(({ digest }) => digest === artifact.digest);
    operation.saw(model.manifest(repository, artifact.digest), isListed ? PRESENT : ABSENT);
  }

  async deleteBlob(repository: RepositoryName, content: Content): Promise<void> {
    const register = this.#scene.model.blob(repository, content.digest);
    const { answer, operation } = await this.#ask(
      `delete ${repository} ${content.name}`,
      [{ register, value: ABSENT }],
      async (context) => await blobs.deleteBlob(context, { repository, digest: content.digest, actor: ACTOR }),
    );
    this.#expectRefusal(answer, () => this.#sawAbsent(operation, repository, content, register), ["UNSUPPORTED"]);
  }

  async deleteTag(repository: RepositoryName, tag: Tag): Promise<void> {
    const register = this.#scene.model.tag(repository, tag);
    const { answer, operation } = await this.#ask(
      `delete ${repository} ${tag}`,
      [{ register, value: ABSENT }],
      async (context) =>
        await manifests.deleteManifest(context, { repository, reference: { kind: "tag", tag }, actor: ACTOR }),
    );
    this.#expectRefusal(answer, () => operation.saw(register, ABSENT));
  }

  /** Deletes a manifest, and those tags that name it. */
  async deleteManifest(repository: RepositoryName, content: ManifestContent): Promise<void> {
    const { model } = this.#scene;
    const { digest } = content;
    const register = model.manifest(repository, digest);
    const tags = model.of(repository, "tag").map((tag) => ({ register: tag, value: ABSENT, over: digest }));
    const { answer, operation } = await this.#ask(
      `delete ${repository} ${content.name}`,
      [{ register, value: ABSENT }, ...tags],
      async (context) =>
        await manifests.deleteManifest(context, { repository, reference: { kind: "digest", digest }, actor: ACTOR }),
    );
    this.#expectRefusal(answer, () => this.#sawAbsent(operation, repository, content, register), ["UNSUPPORTED"]);
  }

  async deleteRepository(repository: RepositoryName): Promise<void> {
    const { model } = this.#scene;
    const all = (["blob", "manifest", "tag"] as const).flatMap((kind) => model.of(repository, kind));
    const { answer, operation } = await this.#ask(
      `delete ${repository}`,
      all.map((register) => ({ register, value: ABSENT })),
      async (context) => await deleteRepository(context, repository, ACTOR),
    );
    this.#expectRefusal(answer, () => {
      for (const register of all) operation.saw(register, ABSENT);
    });
  }

  /** An upload that comes to nothing: cancelled, left alone, or of bytes that are not those of its digest. */
  async uploadInVain(repository: RepositoryName, content: Content): Promise<void> {
    await this.#uploader.inVain(repository, content);
  }

  /** Two requests of one upload at once. */
  async uploadTwice(repository: RepositoryName, content: Content): Promise<void> {
    await this.#uploader.withRival(repository, content);
  }
}
