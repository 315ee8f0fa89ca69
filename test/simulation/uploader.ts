import type { ErrorCode } from "../../src/oci/error.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import * as uploads from "../../src/registry/uploads.ts";
import { bodyOf } from "./body.ts";
import type { Scene } from "./scene.ts";
import type { Content } from "./contents.ts";
import { PRESENT } from "./model.ts";
import type { Answer, Run } from "./run.ts";

/** What an upload may be refused by, through no fault of its client: its session is elsewhere, held, or gone; its body broke off. */
const REFUSALS: readonly ErrorCode[] = ["RANGE_INVALID", "BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"];

/** Requests that a client spends on one upload before it gives up. */
const ATTEMPTS_MAX = 8;

/** Bytes of a content that one request sends. */
interface Stretch {
  readonly content: Content;
  readonly from: number;
  readonly to: number;
  readonly isLengthKnown: boolean;
  /** With Content-Range. */
  readonly isAnnounced: boolean;
}

type Address = uploads.UploadAddress;

/** Sends blobs, in every way that clients have. */
export class Uploader {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** True when the registry said that it has it. */
  async push(repository: RepositoryName, content: Content): Promise<boolean> {
    const { random } = this.#scene;
    if (random.chance(0.3)) return await this.#post(repository, content);
    const address = await this.#start(repository);
    if (!address) return false;
    if (random.chance(0.3)) return await this.#finish(address, this.#stretch(content, 0, content.bytes.byteLength));
    return await this.#inChunks(address, content);
  }

  #check(answer: Answer<unknown>, others: readonly ErrorCode[] = []): void {
    if (answer.kind !== "refused") return;
    const { code, message } = answer.error;
    if (![...REFUSALS, ...others].includes(code))
      throw this.#scene.world.violate(`upload refused by ${code}: ${message}`);
  }

  #stretch(content: Content, from: number, to: number, isAnnounced = false): Stretch {
    return { content, from, to, isAnnounced, isLengthKnown: this.#scene.random.chance(0.5) };
  }

  #chunk(run: Run, { content, from, to, isLengthKnown, isAnnounced }: Stretch): uploads.Chunk {
    const { network, random } = this.#scene;
    const length = to - from;
    if (length === 0) return { body: null, length: 0, range: undefined };
    return {
      body: bodyOf(network, random, run, content.bytes.subarray(from, to)),
      length: isLengthKnown ? length : undefined,
      range: isAnnounced ? { offset: from, length } : undefined,
    };
  }

  async #post(repository: RepositoryName, content: Content): Promise<boolean> {
    const { model, service, network, random } = this.#scene;
    const operation = model.begin([{ register: model.blob(repository, content.digest), value: PRESENT }]);
    const answer = await service.request(`POST ${repository} ${content.name}`, async (context, run) => {
      const body = bodyOf(network, random, run, content.bytes);
      await uploads.putBlob(context, repository, content.digest, body, content.bytes.byteLength);
    });
    operation.end(answer.kind === "done" ? "done" : answer.kind === "lost" ? answer.run : "nothing");
    this.#check(answer);
    return answer.kind === "done";
  }

  async #start(repository: RepositoryName): Promise<Address | undefined> {
    const answer = await this.#scene.service.request(
      `open an upload in ${repository}`,
      async (context) => await uploads.startUpload(context, repository, "sha256"),
    );
    this.#check(answer);
    return answer.kind === "done" ? { repository, id: answer.value } : undefined;
  }

  async #patch(address: Address, stretch: Stretch): Promise<Answer<number>> {
    const label = `PATCH ${stretch.content.name} ${stretch.from}-${stretch.to}${stretch.isAnnounced ? " announced" : ""}`;
    const answer = await this.#scene.service.request(
      label,
      async (context, run) => await uploads.receiveChunk(context, address, this.#chunk(run, stretch)),
    );
    this.#check(answer);
    return answer;
  }

  /** The last request of an upload. True when the registry said that it has the blob. */
  async #finish(address: Address, stretch: Stretch, others: readonly ErrorCode[] = []): Promise<boolean> {
    const { model, service } = this.#scene;
    const { content } = stretch;
    const operation = model.begin([{ register: model.blob(address.repository, content.digest), value: PRESENT }]);
    const label = `PUT ${content.name} ${stretch.from}-${stretch.to}`;
    const answer = await service.request(label, async (context, run) => {
      await uploads.finishUpload(context, address, content.digest, this.#chunk(run, stretch));
    });
    operation.end(answer.kind === "done" ? "done" : answer.kind === "lost" ? answer.run : "nothing");
    this.#check(answer, others);
    return answer.kind === "done";
  }

  /** Goes on where the registry says that the upload stands, as long as that makes sense. */
  async #inChunks(address: Address, content: Content): Promise<boolean> {
    const { random, world } = this.#scene;
    const isAnnounced = random.chance(0.6);
    const chunkSize = random.pick([7, 16, 32, 50, 64, 200]);
    const size = content.bytes.byteLength;
    const inLast = random.chance(0.4) ? Math.min(size, random.below(40)) : 0;
    let received = 0;
    for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts += 1) {
      if (received >= size - inLast) {
        const stretch = this.#stretch(content, received, size, isAnnounced);
        if (await this.#finish(address, stretch)) return true;
      } else {
        const to = Math.min(received + chunkSize, size - inLast);
        const answer = await this.#patch(address, this.#stretch(content, received, to, isAnnounced));
        if (answer.kind === "done") {
          if (answer.value !== to) throw world.violate(`upload stands at ${answer.value}, and ${to} bytes came`);
          received = to;
          continue;
        }
      }
      // Without Content-Range, a request that was lost may still add its bytes, and nothing would tell.
      if (!isAnnounced) return false;
      const status = await this.#status(address);
      if (status === undefined) return false;
      if (status < received) throw world.violate(`upload fell back from ${received} to ${status}`);
      received = status;
    }
    return false;
  }

  async #status(address: Address): Promise<number | undefined> {
    const answer = await this.#scene.service.request(
      "where the upload stands",
      async (context) => await uploads.uploadStatus(context, address),
    );
    this.#check(answer);
    return answer.kind === "done" ? answer.value : undefined;
  }

  async #cancel(address: Address): Promise<void> {
    const answer = await this.#scene.service.request(
      "cancel the upload",
      async (context) => await uploads.cancelUpload(context, address),
    );
    this.#check(answer);
  }

  async inVain(repository: RepositoryName, content: Content): Promise<void> {
    const { random, catalog, service, world, network } = this.#scene;
    const other = random.pick(catalog.blobs);
    if (other.digest !== content.digest && random.chance(0.3)) {
      const { bytes } = other;
      const answer = await service.request(`POST other bytes as ${content.name}`, async (context, run) => {
        const body = bodyOf(network, random, run, bytes);
        await uploads.putBlob(context, repository, content.digest, body, bytes.byteLength);
      });
      if (answer.kind === "done") throw world.violate("bytes of another digest were taken");
      this.#check(answer, ["DIGEST_INVALID"]);
      return;
    }
    const address = await this.#start(repository);
    if (!address) return;
    const to = random.below(content.bytes.byteLength + 1);
    await this.#patch(address, this.#stretch(content, 0, to, random.chance(0.5)));
    if (random.chance(0.5)) await this.#cancel(address);
  }

  /** Once all bytes are there, two requests want to end the upload; or one goes on, while the other ends it. */
  async withRival(repository: RepositoryName, content: Content): Promise<void> {
    const { random } = this.#scene;
    const address = await this.#start(repository);
    if (!address) return;
    const size = content.bytes.byteLength;
    const from = random.chance(0.6) ? size : random.below(size + 1);
    if (from > 0) {
      const answer = await this.#patch(address, this.#stretch(content, 0, from, random.chance(0.5)));
      if (answer.kind !== "done") return;
    }
    const rest = () => this.#stretch(content, from, size, true);
    const rivals = {
      finish: async () => await this.#finish(address, rest(), ["DIGEST_INVALID"]),
      cancel: async () => await this.#cancel(address),
      patch: async () => await this.#patch(address, rest()),
    };
    await Promise.all([rivals.finish(), rivals[random.pick(["finish", "cancel", "patch"] as const)]()]);
  }
}
