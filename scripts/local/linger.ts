import type { IncomingMessage } from "node:http";

/** How long a client may go on sending what is refused: to be cut off while it does, it would not hear why. */
const LINGER_MS = 2_000;

/** Lets what still comes of a request that is answered go nowhere, for a moment; then the connection ends. */
export function linger(incoming: IncomingMessage): void {
  // The request has it no more once it has ended.
  const { socket } = incoming;
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  for (const event of ["end", "close"]) incoming.once(event, () => clearTimeout(timer));
  incoming.resume();
}
