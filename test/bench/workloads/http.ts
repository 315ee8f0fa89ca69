import { type Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { Headers } from "../servers/server.ts";
import { type Blob, streamOf } from "./content.ts";

/** A request; a body without its length among the headers goes chunked. */
export interface Outgoing {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly agent: Agent;
  readonly body?: Blob;
}

/** Sends a request, its body as a stream. Its answer's body must be read: see `drain`. Throws for other statuses than these. */
export async function send(outgoing: Outgoing, expected: readonly number[]): Promise<IncomingMessage> {
  const { method, url, headers, agent, body } = outgoing;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, resolve);
    sent.once("error", reject);
    if (body === undefined) sent.end();
    else pipeline(streamOf(body), sent).catch(reject);
  });
  if (expected.includes(response.statusCode ?? 0)) return response;
  throw new Error(`${method} ${url}: ${response.statusCode} ${await text(response)}`);
}

/** Reads a body to its end and keeps none of it; its length in bytes. */
export async function drain(response: IncomingMessage): Promise<number> {
  let length = 0;
  response.on("data", (piece: Buffer) => (length += piece.length));
  await new Promise((resolve, reject) => {
    response.once("end", resolve);
    response.once("error", reject);
    response.once("aborted", () => reject(new Error("the body broke off")));
  });
  return length;
}
