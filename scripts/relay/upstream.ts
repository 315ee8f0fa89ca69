import type { Readable } from "node:stream";
import type { Agent } from "undici";
import type { Endpoint } from "../distribution/endpoint.ts";
import { Interruption } from "../distribution/interruption.ts";
import { explainUnwanted } from "../distribution/refusal.ts";
import { explainSilence } from "../stowage/http.ts";
import type { RawHeaders } from "./headers.ts";

/** A request as it is passed on. */
export interface Forwarded {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: RawHeaders;
  readonly body?: Readable | Buffer | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came; its body must be read. */
export interface Answering {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: Readable;
}

/** What came, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: Buffer;
}

/** Errors, tokens and the ends of uploads; a longer answer to those is none. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/** The registry that the relay is for. It gets what it is sent as it is, and once. */
export class Upstream {
  readonly endpoint: Endpoint;
  readonly #agent: Agent;
  readonly #timeoutMs: number;

  /** @param timeoutMs how long the registry may be silent when it is asked. */
  constructor(endpoint: Endpoint, agent: Agent, timeoutMs: number) {
    this.endpoint = endpoint;
    this.#agent = agent;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The client's own patience decides how long the registry may be silent, unless another limit is given.
   * @throws Interruption where nobody answers, or the connection breaks.
   */
  async send({ method, path, headers, body, signal }: Forwarded, timeoutMs = 0): Promise<Answering> {
    try {
      const {
        statusCode,
        headers: answered,
        body: stream,
      } = await this.#agent.request({
        ...{ origin: this.endpoint.url.origin, path, method },
        ...{ headers: [...headers], body: body ?? null, responseHeaders: "raw" as const },
        ...{ headersTimeout: timeoutMs, bodyTimeout: timeoutMs },
        // After a HEAD, undici would close the connection, in case the server sends a body all the same.
        reset: false,
        ...(signal && { signal }),
      });
      // With "raw", whatever the type says.
      return { status: statusCode, headers: answered as unknown as string[], body: stream };
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** The same, with the answer read whole. @throws Interruption, for an endless answer too. */
  async ask(request: Forwarded): Promise<Answer> {
    const { status, headers, body } = await this.send(request, this.#timeoutMs);
    const pieces: Buffer[] = [];
    let length = 0;
    try {
      for await (const piece of body as AsyncIterable<Buffer>) {
        length += piece.length;
        if (length > ANSWER_BYTES_MAX) throw new Interruption(`${this.endpoint.host} answers without end`);
        pieces.push(piece);
      }
    } catch (error) {
      throw this.explain(error);
    }
    return { status, headers, body: Buffer.concat(pieces) };
  }

  /** What an error of the network means. */
  explain(error: unknown): Interruption {
    return error instanceof Interruption ? error : new Interruption(explainSilence(error, this.endpoint.url));
  }

  /** Why an answer is not what was asked for: an Interruption, where it passes. */
  refuse({ method, path }: Pick<Forwarded, "method" | "path">, { status, headers, body }: Answer) {
    const named = Object.fromEntries(
      headers.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), headers[index + 1]]] : [])),
    );
    const request = `${method} ${path.split("?", 1)[0] ?? ""}`;
    return explainUnwanted(this.endpoint, { request, status, headers: named, body: body.toString() });
  }
}
