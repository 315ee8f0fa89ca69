import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { OciError } from "../../src/oci/error.ts";
import { codeOf, explain, Failure } from "../local/failure.ts";
import { listen, portOf } from "../local/listen.ts";
import { refuseTls } from "../local/refuse-tls.ts";
import { isLoopback } from "../stowage/registry.ts";
import { Client } from "./client.ts";
import { ClientUploads, parseUploadPath, type UploadSettings } from "./client-uploads.ts";
import { answerError } from "./error-answer.ts";
import { passOn } from "./headers.ts";
import type { Report } from "./report.ts";
import { Tokens } from "./tokens.ts";
import type { Upstream } from "./upstream.ts";
import type { Credentials } from "../stowage/credentials.ts";

/** What a relay works by. */
export interface RelaySettings extends Omit<UploadSettings, "signal"> {
  /** What those are lent who come without credentials. */
  readonly lent: Credentials | undefined;
}

const IPV4 = "127.0.0.1";
const IPV6 = "::1";
/** How long uploads under way may take when the relay is told to stop. */
const GRACE_MS = 10_000;
const GRACE_POLL_MS = 50;
/** Clients come back to their connections while they pack the next layer. */
const IDLE_MS = 60_000;
/** By which containers, and the virtual machine of Docker Desktop, know the machine that they run on. */
const DOCKER_HOST_NAME = "host.docker.internal";

/** A registry on the loopback that passes everything on to another one, bodies of any size in requests that it takes. */
export class Relay {
  readonly #upstream: Upstream;
  readonly #report: Report;
  readonly #tokens: Tokens;
  readonly #uploads: ClientUploads;
  readonly #stop = new AbortController();
  readonly #http: Server;
  readonly #listeners: TcpServer[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(upstream: Upstream, { lent, ...settings }: RelaySettings) {
    this.#upstream = upstream;
    this.#report = settings.report;
    this.#tokens = new Tokens(upstream, lent);
    this.#uploads = new ClientUploads(upstream, this.#tokens, { ...settings, signal: this.#stop.signal });
    // A layer may take as long as it takes.
    this.#http = createServer(
      { requestTimeout: 0, keepAliveTimeout: IDLE_MS },
      (request, response) => void this.#answer(request, response),
    );
  }

  /** Listens on the loopback, in both of its addresses where there are two; returns the port. @throws Failure */
  async open(wanted: number): Promise<number> {
    const port = await this.#listen(IPV4, wanted);
    // A machine without, or another program there: the first address is what clients are told.
    await this.#listen(IPV6, port).catch(() => undefined);
    return port;
  }

  /** Takes no more connections, gives uploads under way a moment, and ends. */
  async close(graceMs = GRACE_MS): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    const deadline = Date.now() + graceMs;
    while (this.#uploads.active > 0 && Date.now() < deadline) await sleep(GRACE_POLL_MS);
    this.#stop.abort();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #listen(host: string, port: number): Promise<number> {
    const listener = createTcpServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      refuseTls(socket, (first) => {
        socket.pause();
        socket.unshift(first);
        this.#http.emit("connection", socket);
        socket.resume();
      });
    });
    await listen(listener, host, port);
    this.#listeners.push(listener);
    return portOf(listener, port);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const client = new Client(request, response, this.#upstream.endpoint.url);
    try {
      if (isForLoopback(request)) await this.#route(client);
      else client.answer(answerError(new OciError("DENIED", { message: "the relay is for this machine alone" })));
    } catch (error) {
      client.fail(error);
      // What else than the registry and the network is at fault is this program's own mistake.
      if (error instanceof Failure || codeOf(error) !== undefined) return;
      this.#report.broken({ repository: request.url ?? "", error: explain(error) });
    }
  }

  async #route(client: Client): Promise<void> {
    const { method = "GET", url: target = "/" } = client.request;
    const upload = parseUploadPath(target);
    if (upload && method === "POST" && upload.id === "") await this.#uploads.open(client);
    else if (upload && (method === "PATCH" || method === "PUT")) await this.#uploads.send(client, method, upload);
    else if (/^\/token(\?|$)/.test(target)) await this.#answerToken(client);
    else await this.#passThrough(client, method, target);
  }

  async #answerToken(client: Client): Promise<void> {
    const tooLong = new OciError("REQUEST_INVALID", { message: "the form is too large" });
    client.answer((await this.#tokens.answer(client.request)) ?? answerError(tooLong));
  }

  async #passThrough(client: Client, method: string, path: string): Promise<void> {
    const { request } = client;
    const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
    const body = length === "0" && encoding === undefined ? undefined : request;
    const headers = passOn(request.rawHeaders);
    const signal = client.whileThere();
    await client.stream(await this.#upstream.send({ method, path, headers, body, signal }));
  }
}

/** A page whose name leads here (DNS rebinding) says that name: it must not speak for who runs the relay. */
function isForLoopback({ headers }: IncomingMessage): boolean {
  const host = `http://${headers.host ?? ""}`;
  if (!URL.canParse(host)) return false;
  const { hostname } = new URL(host);
  return isLoopback(hostname) || hostname === DOCKER_HOST_NAME;
}
