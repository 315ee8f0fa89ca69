import { connect, createServer, type Server, type Socket } from "node:net";
import { codeOf, Failure, reasonOf } from "./failure.ts";

/** The first byte of a TLS connection: a record that begins a handshake (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 0x16;

/** What Go's servers say to it, and thus what container clients know: they go on to plain HTTP at once. */
const NOT_TLS = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n";

/** A minor collection takes less than a millisecond, as the heap is small. */
const COLLECTED_BYTES = 4_000_000;

/**
 * The public port. It passes bytes on to the runtime, and does one thing that the runtime does not: it refuses TLS.
 * podman, skopeo, buildah and Docker try TLS first on every registry; workerd waits for the end of a header that never
 * comes, and each command would begin with their ten seconds of patience.
 */
export class Front {
  readonly #server: Server;
  #runtimePort = 0;

  constructor() {
    const options = { noDelay: true, allowHalfOpen: true };
    this.#server = createServer(options, (client) => this.#accept(client));
  }

  /** Listens, and passes on to the runtime's port on the loopback; returns the port. Called again, it only moves the target. */
  async open(host: string, port: number, runtimePort: number): Promise<number> {
    this.#runtimePort = runtimePort;
    if (!this.#server.listening) await listen(this.#server, host, port);
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  /** Takes no more connections; those that are open end with their requests. */
  close(): void {
    if (this.#server.listening) this.#server.close();
  }

  #accept(client: Socket): void {
    client.once("error", () => client.destroy());
    client.once("data", (first: Buffer) => {
      if (first[0] === TLS_HANDSHAKE) client.end(NOT_TLS);
      else this.#passOn(client, first);
    });
  }

  #passOn(client: Socket, first: Buffer): void {
    const runtime = connect({ host: "127.0.0.1", port: this.#runtimePort, noDelay: true, allowHalfOpen: true });
    runtime.write(first);
    client.pipe(runtime);
    runtime.pipe(client);
    client.on("data", collectPieces);
    runtime.on("data", collectPieces);
    // A connection that breaks on one side is broken on the other: a body must not seem to wait for more.
    client.once("close", () => runtime.destroy());
    runtime.once("close", () => client.destroySoon());
    runtime.once("error", () => client.destroy());
  }
}

let pieces = 0;

/** The pieces that passed lie outside of V8's heap: it sees small handles only, and would let 64 MB of them gather. */
function collectPieces({ length }: Buffer): void {
  pieces += length;
  if (pieces < COLLECTED_BYTES) return;
  pieces = 0;
  globalThis.gc?.({ type: "minor" });
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => reject(explainAddress(error, host, port));
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.removeListener("error", fail);
      resolve();
    });
  });
}

/** Refuses an address that cannot be listened on, with a reason. */
export async function checkAddress(host: string, port: number): Promise<void> {
  const probe = createServer();
  await listen(probe, host, port);
  await new Promise((resolve) => probe.close(resolve));
}

function explainAddress(error: Error, host: string, port: number): Failure {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return new Failure(
        `port ${port} of ${host} is in use: stop what listens there, or choose another port with --port`,
      );
    case "EACCES":
      return new Failure(`no permission to listen on port ${port}: choose one above 1023 with --port`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return new Failure(`${host} is not an address of this machine: choose another with --host`);
    default:
      return new Failure(`cannot listen on ${host} port ${port}: ${reasonOf(error)}`);
  }
}
