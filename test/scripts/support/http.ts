import { request } from "node:http";
import { Readable } from "node:stream";

export interface Answer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** A request, to some URL. */
export interface Sent {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
  /** Whether the body's length goes unsaid. */
  readonly isChunked?: boolean;
}

/** Sends a request. What of its body is refused need not be read. */
export async function send(url: URL, { method, headers, body, isChunked = false }: Sent): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const all = { ...headers, ...(body && !isChunked && { "content-length": body.byteLength }) };
    const outgoing = request(url, { method, headers: all, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => {
        const { statusCode: status, headers: names, rawHeaders } = response;
        resolve({ status, headers: names, rawHeaders, body: Buffer.concat(pieces) });
      });
      response.on("error", reject);
    });
    // A connection that is cut after its answer is no error.
    outgoing.on("error", (error) => {
      setTimeout(() => {
        reject(error);
      }, 500);
    });
    if (body) Readable.from(body.length > 65_536 ? pieces(body) : [body]).pipe(outgoing);
    else outgoing.end();
  });
}

function* pieces(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536);
}
