import { Readable } from "node:stream";
import { BODY_BYTES_DEFAULT, type BodyLimit } from "../distribution/body-limit.ts";
import { Interruption, type Patience, waitAfter } from "../distribution/interruption.ts";
import { Failure } from "../local/failure.ts";
import { readErrors } from "../stowage/http.ts";
import { answerRefusal } from "./error-answer.ts";
import { type RawHeaders, valueOf } from "./headers.ts";
import type { Tokens } from "./tokens.ts";
import { UploadTarget } from "./upload-target.ts";
import type { Answer, Upstream } from "./upstream.ts";
import { BodyBroken, type Window, WINDOW_BYTES } from "./window.ts";

/**
 * A piece of a body whose length is not known: it is held whole, so that its length is, and another one comes meanwhile. (A server
 * that knows where a chunk ends can hash on after it; and of 12 MiB nothing is left over in Stowage's parts.)
 */
const HELD_BYTES = WINDOW_BYTES / 2;

/** A PATCH or PUT of an upload, as a client sent it. */
export interface UploadRequest {
  readonly method: "PATCH" | "PUT";
  /** Path and query. */
  readonly target: string;
  readonly headers: RawHeaders;
  readonly body: Window;
  /** Bytes; undefined for a body that does not say. */
  readonly length: number | undefined;
  /** Where the upload stands, if that is known. */
  readonly base: number | undefined;
}

/** What it takes to send it. */
export interface UploadMeans {
  readonly upstream: Upstream;
  readonly tokens: Tokens;
  readonly limit: BodyLimit;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  /** Told of the bytes of the body that are sent. */
  readonly onProgress: (bytes: number) => void;
}

/** The registry's last word, which is the client's answer. */
class Refused extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

/**
 * Sends the body of one request in as many as the registry takes: PATCHes, one after the other, and for a PUT of which that is not
 * all, an empty PUT at the end. What breaks goes on from where the registry says that it stands. Memory: that of the window.
 */
export class ForwardedUpload {
  readonly #request: UploadRequest;
  readonly #means: UploadMeans;
  readonly #target: UploadTarget;
  /** Where the body begins in the blob. */
  #base: number | undefined;
  /** Up to where the registry has the body. */
  #position = 0;
  #furthest = 0;
  /** Whether the registry has to be asked for the position. */
  #isLost = false;
  /** A body without a length can be sent again only in pieces that are held. */
  #hasBroken = false;
  /** Tries in a row that brought nothing. */
  #failures = 0;
  /** The offset that the registry refused last, of those that it had stated. */
  #refusedAt: number | undefined;

  constructor(request: UploadRequest, means: UploadMeans) {
    this.#request = request;
    this.#means = means;
    this.#target = new UploadTarget({ ...request, ...means });
    this.#base = request.base;
  }

  /** The blob's bytes that the registry has. */
  get received(): number {
    return (this.#base ?? 0) + this.#position;
  }

  /**
   * What the one request would have been answered with.
   * @throws Interruption when patience has ended; BodyBroken when the client has gone: what came before stays in the session, as
   *   it would without the relay.
   */
  async run(): Promise<Answer> {
    const { patience, signal } = this.#means;
    for (;;) {
      const before = this.#furthest;
      try {
        if (this.#isLost || this.#base === undefined) {
          const ended = await this.#locate();
          if (ended) return ended;
        }
        const answer = await this.#advance();
        if (answer) return answer;
        this.#failures = 0;
      } catch (error) {
        if (error instanceof Refused) return error.answer;
        const problem = this.#judge(error);
        this.#failures = this.#furthest > before ? 1 : this.#failures + 1;
        await waitAfter(problem, this.#failures, patience, signal);
      }
    }
  }

  /** Sends the next piece. Returns the answer to the whole once that was the last. */
  async #advance(): Promise<Answer | undefined> {
    const { method, body } = this.#request;
    const { limit } = this.#means;
    const left = await this.#left();
    const isEnd = left === 0 && (method === "PUT" || this.#position === 0);
    const isWhole = this.#position === 0 && (left ?? Infinity) <= limit.bytes && !(left === undefined && this.#isHeld);
    if (method === "PUT" && (isEnd || isWhole)) {
      const answer = await this.#send("PUT", left);
      this.#moveTo(body.end);
      return answer;
    }
    const length = left === undefined && !this.#isHeld ? undefined : Math.min(left ?? HELD_BYTES, limit.bytes);
    const answer = await this.#send("PATCH", length);
    this.#moveTo(length === undefined ? body.end : this.#position + length);
    limit.succeed();
    return method === "PATCH" && this.#position === (this.#request.length ?? body.total) ? answer : undefined;
  }

  /** How many bytes are to be sent; undefined: not known, and more than a piece. */
  async #left(): Promise<number | undefined> {
    const { body, length } = this.#request;
    if (length !== undefined) return length - this.#position;
    if (this.#isHeld) {
      body.hold();
      await body.reach(this.#position + HELD_BYTES);
    }
    return body.total === undefined ? undefined : body.total - this.#position;
  }

  /** Of a body whose length is known, or that goes in one request, only the last bytes are kept. */
  get #isHeld(): boolean {
    return this.#request.length === undefined && (this.#means.limit.bytes !== Infinity || this.#hasBroken);
  }

  async #send(method: "PATCH" | "PUT", length: number | undefined): Promise<Answer> {
    const { body } = this.#request;
    const content = length === 0 ? undefined : Readable.from(this.#content(length), { objectMode: false });
    const piece = { length, range: this.#rangeOf(length), content };
    const answer = await this.#target.send(method, piece).catch((error: unknown) => {
      // What the network makes of a body that ends early says nothing.
      throw body.isBroken ? new BodyBroken() : error;
    });
    const expected = method === "PUT" ? [201, 200, 202, 204] : [202, 201, 204];
    if (expected.includes(answer.status)) return answer;
    throw this.#explain(method, answer, length);
  }

  async *#content(length = Infinity): AsyncGenerator<Uint8Array> {
    let position = this.#position;
    for await (const view of this.#request.body.read(position, length)) {
      position += view.length;
      this.#means.onProgress(position);
      yield view;
    }
  }

  /**
   * As the client said it, if this is all; else so that the registry knows that more will come. What is sent again says its place in
   * any case: it must not be taken twice.
   */
  #rangeOf(length: number | undefined): string | undefined {
    const own = valueOf(this.#request.headers, "content-range");
    const isAll = this.#position === 0 && length === (this.#request.length ?? this.#request.body.total);
    if (isAll && own !== undefined) return own;
    if ((isAll && !this.#hasBroken) || length === undefined || length === 0) return undefined;
    return `${this.received}-${this.received + length - 1}`;
  }

  /** What an answer that was not wanted means: an Interruption is tried again. */
  #explain(method: "GET" | "PATCH" | "PUT", answer: Answer, length?: number): Error {
    const { upstream, limit } = this.#means;
    const refusal = upstream.refuse({ method, path: this.#target.pathFor("PATCH") }, answer);
    const { status } = answer;
    if (refusal instanceof Interruption) return refusal;
    if (status === 413 && limit.shrink(Math.min(length ?? Infinity, 2 * BODY_BYTES_DEFAULT))) {
      this.#failures = 0;
      return new Interruption(refusal.message, 0);
    }
    // The connection broke behind a proxy.
    if (status === 400 && readErrors(answer.body.toString())?.code === "BLOB_UPLOAD_INVALID") {
      return new Interruption(refusal.message);
    }
    // The session has ended, perhaps because the blob is there; or what was sent before still comes in.
    if (this.#hasBroken && (status === 404 || status === 416)) {
      this.#refusedAt = status === 416 ? this.received : this.#refusedAt;
      return new Interruption(refusal.message);
    }
    return new Refused(answerRefusal(answer, refusal));
  }

  #judge(error: unknown): unknown {
    const { signal } = this.#means;
    if (!(error instanceof Interruption)) return error;
    signal.throwIfAborted();
    this.#isLost = true;
    this.#hasBroken = true;
    return error;
  }

  /** Spec end-13: finds out where the upload stands. Returns the answer to a PUT that has ended it, and was not heard. */
  async #locate(): Promise<Answer | undefined> {
    const answer = await this.#target.status();
    const mayHaveEnded = answer.status === 404 && this.#hasBroken && this.#request.method === "PUT";
    const found = mayHaveEnded ? await this.#target.findBlob() : undefined;
    if (found) return found;
    if (![204, 200, 202].includes(answer.status)) throw this.#explain("GET", answer);
    const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(valueOf(answer.headers, "range") ?? "") ?? [];
    const received = last === "0" ? this.#oneByteOrNone() : last === undefined ? 0 : Number(last) + 1;
    this.#base ??= received;
    this.#moveTo(received - this.#base);
    this.#isLost = false;
    return undefined;
  }

  /** `0-0` is said of one byte and of none: none is taken for true, until the registry refuses what starts there. */
  #oneByteOrNone(): number {
    return this.#refusedAt === 0 ? 1 : 0;
  }

  /** @throws Failure where the body is not held from there on. */
  #moveTo(position: number): void {
    const { body } = this.#request;
    if (position < body.start || position > body.end) {
      const { host } = this.#means.upstream.endpoint;
      throw new Failure(
        `${host} lost more of the layer than is held to be sent again: push again, or try a smaller --chunk-size`,
      );
    }
    this.#position = position;
    this.#furthest = Math.max(this.#furthest, position);
    body.release(position);
    this.#means.onProgress(position);
  }
}
