import { connect, createServer, type Server, type Socket } from "node:net";
import { listen, portOf } from "./listen.ts";
import { countPiece } from "./pieces.ts";
import { refuseTls } from "./refuse-tls.ts";

/**
 * The public port. It passes bytes on to the runtime, and does one thing that the runtime does not: it refuses TLS.
 * workerd waits for the end of a header that never comes, and each command would begin with the ten seconds of patience
 * that clients have.
 */
export class Front {
  readonly #server: Server;
  #runtimePort = 0;

  constructor() {
    const options = { noDelay: true, allowHalfOpen: true };
    this.#server = createServer(options, (client) => {
      refuseTls(client, (first) => this.#passOn(client, first));
    });
  }

  /** Listens, and passes on to the runtime's port on the loopback; returns the port. Called again, it only moves the target. */
  async open(host: string, port: number, runtimePort: number): Promise<number> {
    this.#runtimePort = runtimePort;
    if (!this.#server.listening) await listen(this.#server, host, port);
    return portOf(this.#server, port);
  }

  /** Takes no more connections; those that are open end with their requests. */
  close(): void {
    if (this.#server.listening) this.#server.close();
  }

  #passOn(client: Socket, first: Buffer): void {
    const runtime = connect({ host: "127.0.0.1", port: this.#runtimePort, noDelay: true, allowHalfOpen: true });
    runtime.write(first);
    client.pipe(runtime);
    runtime.pipe(client);
    client.on("data", countPiece);
    runtime.on("data", countPiece);
    // A connection that breaks on one side is broken on the other: a body must not seem to wait for more.
    client.once("close", () => runtime.destroy());
    runtime.once("close", () => client.destroySoon());
    runtime.once("error", () => client.destroy());
  }
}
