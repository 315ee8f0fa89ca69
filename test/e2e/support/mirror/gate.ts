import { once } from "node:events";
import { createServer, type IncomingMessage, request as send, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";

/** A request that came to a gate. */
export interface GateRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly authorization: string | undefined;
}

/** An answer of the registry behind a gate. */
export interface GateAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** What a gate does instead of passing a request on. `ask` has the registry answer it. */
export type Fault = (response: ServerResponse, ask: () => Promise<GateAnswer>, request: GateRequest) => unknown;

/** Stands in front of a registry: writes down what is asked of it, and answers falsely where it is told to. */
export interface Gate {
  readonly url: string;
  /** What was asked since {@link forget}, or ever. */
  readonly requests: readonly GateRequest[];
  forget(): void;
  /** Answers so to all such requests, instead of what it was told before. */
  misbehave(method: "GET" | "HEAD" | "*", path: RegExp, fault: Fault): void;
  behave(): void;
  /** From now on nobody listens there. */
  close(): Promise<void>;
  /** Listens again, where it did. */
  open(): Promise<void>;
}

/** Opens a gate on a free port of 127.0.0.1. */
export async function openGate(target: string): Promise<Gate> {
  const requests: GateRequest[] = [];
  let rule: { readonly method: string; readonly path: RegExp; readonly fault: Fault } | undefined;
  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const { method = "", url: path = "", headers } = incoming;
    const request = { method, path, authorization: headers.authorization };
    requests.push(request);
    const isFaulty = rule !== undefined && ["*", method].includes(rule.method) && rule.path.test(path);
    if (isFaulty) await rule?.fault(response, async () => await read(await ask(target, incoming)), request);
    else await pass(target, incoming, response);
  };
  const serve = () =>
    createServer((incoming, response) => void handle(incoming, response).catch(() => response.destroy()));
  let server = serve();
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    forget: () => void requests.splice(0),
    misbehave: (method, path, fault) => void (rule = { method, path, fault }),
    behave: () => void (rule = undefined),
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
    open: async () => {
      server = serve();
      await listen(server, port);
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function ask(target: string, { method, url, headers }: IncomingMessage): Promise<IncomingMessage> {
  const outgoing = send(new URL(url ?? "", target), { method: method ?? "GET", headers });
  outgoing.end();
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  return answer;
}

async function pass(target: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = await ask(target, incoming);
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  await pipeline(answer, response);
}

async function read(answer: IncomingMessage): Promise<GateAnswer> {
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
}
