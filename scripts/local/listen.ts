import { createServer, type Server } from "node:net";
import { codeOf, Failure, reasonOf } from "./failure.ts";

/** Listens on an address. @throws Failure that says what to do where it cannot. */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => reject(explainAddress(error, host, port));
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.removeListener("error", fail);
      resolve();
    });
  });
}

/** The port that a server got; `wanted` where it does not listen on one. */
export function portOf(server: Server, wanted: number): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : wanted;
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
