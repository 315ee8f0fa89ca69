import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { OciError } from "../../src/oci/error.ts";
import { Interruption } from "../distribution/interruption.ts";
import { Failure } from "../local/failure.ts";
import { linger } from "../local/linger.ts";
import { answerError, answerInterruption } from "./error-answer.ts";
import { leadBack, passOn } from "./headers.ts";
import type { Answer, Answering } from "./upstream.ts";

/** Who sent a request, and waits for its answer. */
export class Client {
  readonly request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #registry: URL;

  constructor(request: IncomingMessage, response: ServerResponse, registry: URL) {
    this.request = request;
    this.#response = response;
    this.#registry = registry;
  }

  /** Aborts when the client goes away. */
  whileThere(): AbortSignal {
    const left = new AbortController();
    this.#response.once("close", () => left.abort());
    return left.signal;
  }

  /** Passes an answer on as it comes. A body that breaks off breaks off here, too. */
  async stream({ status, headers, body }: Answering): Promise<void> {
    this.#begin(status, headers);
    await pipeline(body, this.#response).catch(() => this.#response.destroy());
  }

  /** Answers, though a body may still be coming. */
  answer({ status, headers, body }: Answer): void {
    if (this.#response.headersSent || this.#response.destroyed) return;
    if (!this.request.complete) linger(this.request);
    this.#begin(status, headers);
    this.#response.end(body);
  }

  /** Says what went wrong. */
  fail(error: unknown): void {
    if (error instanceof Interruption) this.answer(answerInterruption(error));
    else if (error instanceof Failure) this.answer(answerInterruption(new Interruption(error.message)));
    else this.answer(answerError(new OciError("UNKNOWN", { message: "the relay failed; its own output says why" })));
  }

  #begin(status: number, headers: readonly string[]): void {
    const here = `http://${this.request.headers.host ?? ""}`;
    this.#response.writeHead(status, leadBack(passOn(headers), this.#registry, here));
  }
}
