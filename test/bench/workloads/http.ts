import { type Dispatcher, errors, Pool } from "undici";
import type { Headers } from "../servers/server.ts";
import { type Blob, streamOf } from "./content.ts";

/** A request; a body without its length among the headers goes chunked. The statuses are those that are right. */
export interface Outgoing {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers?: Headers;
  readonly body?: Blob;
  readonly expected: readonly number[];
}

/** The connections of a client to a server. They stay open; a request that finds its own broken is sent once more. */
export class Connections {
  readonly #pool: Pool;
  /** How often a request found its connection broken. */
  broken = 0;

  /** @param most - How many connections there are at most; further requests wait. */
  constructor(url: string, most: number) {
    this.#pool = new Pool(url, { connections: most, pipelining: 1 });
  }

  /** Sends a request, its body as a stream. The answer's body must be read: see `drain`. Throws for other statuses. */
  async send(outgoing: Outgoing): Promise<Dispatcher.ResponseData> {
    const { method, path, expected } = outgoing;
    const response = await this.#send(outgoing).catch(async (error: unknown) => {
      if (!isBroken(error)) throw error;
      this.broken += 1;
      return await this.#send(outgoing);
    });
    if (expected.includes(response.statusCode)) return response;
    throw new Error(`${method} ${path}: ${response.statusCode} ${await response.body.text()}`);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #send({ method, path, headers = {}, body }: Outgoing): Promise<Dispatcher.ResponseData> {
    // After a HEAD, undici would close the connection, in case the server sends a body all the same.
    const request = { method, path, headers, reset: false };
    return await this.#pool.request({ ...request, ...(body && { body: streamOf(body) }) });
  }
}

/** Reads a body to its end and keeps none of it; its length in bytes. */
export async function drain({ body }: Dispatcher.ResponseData): Promise<number> {
  let length = 0;
  for await (const piece of body) length += (piece as Buffer).length;
  return length;
}

/** Whether the server closed the connection before it answered, as it may one that it takes for idle. */
function isBroken(error: unknown): boolean {
  return (
    error instanceof errors.SocketError || (error instanceof Error && "code" in error && error.code === "ECONNRESET")
  );
}
