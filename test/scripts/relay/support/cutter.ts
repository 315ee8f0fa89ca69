import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Where a connection is cut: after so many bytes of one direction. */
export interface Cut {
  readonly direction: "to the registry" | "to the relay";
  readonly bytes: number;
}

/** Stands before a registry, and cuts connections: each takes the next of the cuts, as long as there are some. */
export class Cutter {
  readonly cuts: Cut[] = [];
  url = new URL("http://127.0.0.1");

  static async start(registry: { readonly url: URL }): Promise<Cutter> {
    const cutter = new Cutter();
    const port = Number(registry.url.port);
    const server = createServer((client) => cutter.#passOn(client, connect(port, "127.0.0.1")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    cutter.url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return cutter;
  }

  #passOn(client: Socket, registry: Socket): void {
    for (const [from, to, direction] of [
      [client, registry, "to the registry"],
      [registry, client, "to the relay"],
    ] as const) {
      from.on("error", () => to.destroy());
      from.once("close", () => to.destroySoon());
      let passed = 0;
      from.on("data", (piece: Buffer) => {
        const [cut] = this.cuts;
        passed += piece.length;
        if (cut?.direction !== direction || passed <= cut.bytes) return void to.write(piece);
        this.cuts.shift();
        // What comes before the cut arrives.
        to.end(piece.subarray(0, Math.max(0, piece.length - (passed - cut.bytes))));
        from.destroy();
      });
    }
  }
}
