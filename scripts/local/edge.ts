import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, Transform } from "node:stream";
import { linger } from "./linger.ts";

/** What Cloudflare's edge answers, in the words that matter to clients: no JSON, and nothing of a registry. */
const TOO_LARGE = "<html><head><title>413 Payload Too Large</title></head><body>413 Payload Too Large</body></html>\n";

/** A body was larger than the edge takes. */
class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

/**
 * Cloudflare's edge, as far as it limits the bodies of requests: one that says that it is larger gets 413 before the Worker hears of it, and one
 * that does not say is cut off in its midst.
 */
export class Edge {
  readonly #limit: number;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  #runtimePort = 0;

  /** @param limit bytes of one request's body. */
  constructor(limit: number) {
    this.#limit = limit;
    // A layer may take as long as it takes.
    this.#server = createServer({ requestTimeout: 0, noDelay: true }, (incoming, outgoing) => {
      this.#passOn(incoming, outgoing);
    });
  }

  /** Listens on a free port of the loopback, and passes on to the runtime's; returns the port. Called again, it only moves the target. */
  async open(runtimePort: number): Promise<number> {
    this.#runtimePort = runtimePort;
    if (!this.#server.listening) {
      await new Promise<void>((resolve) => this.#server.listen({ host: "127.0.0.1", port: 0 }, resolve));
    }
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no more connections; those that are open end with their requests. */
  close(): void {
    this.#server.close();
    this.#agent.destroy();
  }

  #passOn(incoming: IncomingMessage, outgoing: ServerResponse): void {
    if (Number(incoming.headers["content-length"] ?? 0) > this.#limit) {
      refuse(incoming, outgoing);
      return;
    }
    const { method, url, rawHeaders } = incoming;
    const inner = request({
      ...{ host: "127.0.0.1", port: this.#runtimePort, agent: this.#agent },
      ...{ method, path: url, headers: rawHeaders, setHost: false },
    });
    inner.on("response", (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.statusMessage, response.rawHeaders);
      pipeline(response, outgoing, () => undefined);
    });
    const counter = this.#counter();
    // Not a pipeline: that would end the client's connection with the error, and with it the answer.
    incoming.pipe(counter).pipe(inner);
    counter.on("error", () => {
      inner.destroy();
      refuse(incoming, outgoing);
    });
    incoming.once("close", () => {
      if (!incoming.complete) inner.destroy();
    });
    inner.on("error", () => {
      if (!outgoing.headersSent && !(counter.errored instanceof BodyTooLarge)) outgoing.destroy();
    });
  }

  #counter(): Transform {
    let bytes = 0;
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        bytes += chunk.length;
        if (bytes > this.#limit) done(new BodyTooLarge());
        else done(null, chunk);
      },
    });
  }
}

/** Says no, and lets what still comes go nowhere. */
function refuse(incoming: IncomingMessage, outgoing: ServerResponse): void {
  incoming.unpipe();
  linger(incoming);
  if (outgoing.headersSent) return;
  const headers = { "Content-Type": "text/html", "Content-Length": Buffer.byteLength(TOO_LARGE) };
  // Node would close the connection at once for who asks for that.
  outgoing.writeHead(413, { ...headers, Connection: "keep-alive" });
  outgoing.end(TOO_LARGE);
}
