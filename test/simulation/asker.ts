import type { Context } from "../../src/context.ts";
import type { ErrorCode, OciError } from "../../src/oci/error.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import type { Content, ManifestContent } from "./contents.ts";
import { ABSENT, type Effect, type Operation, type Register } from "./model.ts";
import type { Answer, Run } from "./run.ts";
import type { Scene } from "./scene.ts";

const UNKNOWN: readonly ErrorCode[] = ["BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN"];

/** Sends requests, and tells the model what was asked and what was answered. */
export class Asker {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** What is to happen to a register of the model, if the answer says so. */
  async ask<T>(
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
  expectRefusal(answer: Answer<unknown>, sawAbsent: () => void, others: readonly ErrorCode[] = []): void {
    if (answer.kind !== "refused") return;
    const { code, message } = answer.error;
    if (UNKNOWN.includes(code)) sawAbsent();
    else if (!others.includes(code)) throw this.#scene.world.violate(`refused by ${code}: ${message}`);
  }

  /** Content is gone, as a client was told: no manifest that is certainly there may hold it. */
  sawAbsent(operation: Operation, repository: RepositoryName, content: Content, register: Register): void {
    const { model, catalog, world } = this.#scene;
    for (const holder of catalog.manifests) {
      if (![...holder.blobs, ...holder.children].some(({ digest }) => digest === content.digest)) continue;
      const possible = model.manifest(repository, holder.digest).possible(operation.start, world.now);
      if (!possible.has(ABSENT)) throw world.violate(`${register.name} is absent, and ${holder.name} holds it`);
    }
    operation.saw(register, ABSENT);
  }

  /** A push or restoration of a manifest that was refused: for want of something that it refers to, and that may be absent. */
  explainRefusal(error: OciError, operation: Operation, repository: RepositoryName, content: ManifestContent): void {
    const { model, world } = this.#scene;
    const held = [
      ...content.blobs.map((of) => ({ of, register: model.blob(repository, of.digest) })),
      ...content.children.map((of) => ({ of, register: model.manifest(repository, of.digest) })),
    ];
    if (error.code === "MANIFEST_BLOB_UNKNOWN") {
      const missing = new Set((error.detail as { digest: string }[]).map(({ digest }) => digest));
      for (const { of, register } of held) {
        if (missing.has(of.digest)) this.sawAbsent(operation, repository, of, register);
      }
    } else if (error.code !== "UNAVAILABLE" || held.every(({ register }) => !this.#mayBeAbsent(operation, register))) {
      throw world.violate(`${content.name} was refused by ${error.code}: ${error.message}`);
    }
  }

  #mayBeAbsent(operation: Operation, register: Register): boolean {
    return register.possible(operation.start, this.#scene.world.now).has(ABSENT);
  }
}
