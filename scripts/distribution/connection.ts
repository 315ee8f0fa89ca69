import type { Readable } from "node:stream";
import type { Agent, Dispatcher } from "undici";
import { codeOf, Failure } from "../local/failure.ts";
import { explainSilence } from "../stowage/http.ts";
import { Authorizer, type TokenCall } from "./authorizer.ts";
import type { Endpoint } from "./endpoint.ts";
import { Interruption, type Patience, waitAfter } from "./interruption.ts";
import { explainUnwanted } from "./refusal.ts";
import { mayLead, resolveUrl } from "./url.ts";

/** A request to a registry. */
export interface Call {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** A path of the API, or where the registry said to go on. */
  readonly url: string | URL;
  /** What the caller needs, such as `repository:team/web:pull`. */
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** In the place of `body`: what can be sent once and never again. */
  readonly stream?: Readable;
  /** The statuses that are right. */
  readonly expected: readonly number[];
}

/** What came; its body must be read or dumped. */
export type Response = Dispatcher.ResponseData;

/** How a program sends requests. */
export interface Manners {
  readonly agent: Agent;
  readonly patience: Patience;
  /** How long a registry may be silent. */
  readonly timeoutMs: number;
  /** Ends all that goes on. */
  readonly signal?: AbortSignal;
}

const REDIRECTS_MAX = 5;
/** Errors and tokens; more than that is neither. */
const TEXT_BYTES_MAX = 1024 * 1024;
const AGENT = "stowage";

/** The distribution API of one registry, for one caller. Requests that can be repeated are, with patience. */
export class Connection {
  readonly endpoint: Endpoint;
  readonly manners: Manners;
  readonly #authorizer: Authorizer;
  /** Who never answered is not worth waiting for. */
  #hasAnswered = false;

  constructor(endpoint: Endpoint, manners: Manners) {
    this.endpoint = endpoint;
    this.manners = manners;
    this.#authorizer = new Authorizer(endpoint, { ping: () => this.#ping(), ask: (call) => this.#ask(call) });
  }

  /**
   * Sends a request, with what the registry asks for, until it is answered with one of the expected statuses.
   * @throws Refusal for another status; Interruption for one that would pass, and for silence, once patience has ended;
   *   Failure for what no registry does.
   */
  async send(call: Call): Promise<Response> {
    return await this.#withPatience(async () => await this.attempt(call));
  }

  /** The same once, or twice where the registry wants another token: an interruption is the caller's to mend. */
  async attempt(call: Call): Promise<Response> {
    for (let isRenewed = false; ; isRenewed = true) {
      const { response, url } = await this.#follow(call, await this.#authorizer.authorize(call.scopes));
      if (call.expected.includes(response.statusCode)) return response;
      const problem = await this.#explain(call, response);
      // Who the registry sent to got no credentials, and does not say where they go.
      if (response.statusCode !== 401 || isRenewed || !this.#isHome(url)) throw problem;
      this.#authorizer.renew(join(response.headers["www-authenticate"]));
      // A stream is gone with the request.
      if (call.stream !== undefined) throw new Interruption(problem.message, 0);
    }
  }

  /** The same for a body that is read whole, and must not be longer than `most` bytes. */
  async read(call: Call, most: number): Promise<{ response: Response; bytes: Buffer }> {
    return await this.#withPatience(async () => {
      const response = await this.attempt(call);
      try {
        return { response, bytes: await collect(response, most) };
      } catch (error) {
        throw this.explainBreak(error);
      }
    });
  }

  /** A request of whose answer only the headers matter. */
  async command(call: Call): Promise<Response> {
    const response = await this.send(call);
    await response.body.dump();
    return response;
  }

  /** What an error of the network means; others stay what they are. */
  explainBreak(error: unknown): unknown {
    this.manners.signal?.throwIfAborted();
    const code = codeOf(error);
    if (error instanceof Failure || code === undefined) return error;
    const message = explainSilence(error, this.endpoint.url);
    const isHopeless = /^(ENOTFOUND|EPROTO|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME|UND_ERR_INVALID)/;
    if (isHopeless.test(code) || (code === "ECONNREFUSED" && !this.#hasAnswered)) return new Failure(message);
    return new Interruption(message);
  }

  async #withPatience<T>(work: () => Promise<T>): Promise<T> {
    const { patience, signal } = this.manners;
    for (let failures = 1; ; failures += 1) {
      try {
        return await work();
      } catch (error) {
        await waitAfter(error, failures, patience, signal);
      }
    }
  }

  /** Content may lie elsewhere; credentials go to no other server. Returns who answered, too. */
  async #follow(call: Call, authorization: string | undefined): Promise<{ response: Response; url: URL }> {
    let url = new URL(call.url, this.endpoint.url);
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#once(call, url, this.#isHome(url) ? authorization : undefined);
      const { location } = response.headers;
      const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode) && location !== undefined;
      if (!isRedirect || !/^(GET|HEAD)$/.test(call.method)) return { response, url };
      await response.body.dump();
      const next = resolveUrl(join(location), url);
      if (next === undefined || !mayLead(url, next) || redirects === REDIRECTS_MAX) {
        throw new Failure(`${this.endpoint.host} sends ${describe(call)} astray: ask who runs it`);
      }
      url = next;
    }
  }

  #isHome({ origin }: URL): boolean {
    return origin === this.endpoint.url.origin;
  }

  async #once(call: Call, url: URL, authorization: string | undefined): Promise<Response> {
    const { agent, timeoutMs, signal } = this.manners;
    const headers = { "user-agent": AGENT, ...call.headers, ...(authorization !== undefined && { authorization }) };
    try {
      const response = await agent.request({
        ...{ origin: url.origin, path: url.pathname + url.search, method: call.method },
        ...{ headers, body: call.stream ?? call.body ?? null },
        ...{ headersTimeout: timeoutMs, bodyTimeout: timeoutMs },
        // After a HEAD, undici would close the connection, in case the server sends a body all the same.
        reset: false,
        ...(signal && { signal }),
      });
      this.#hasAnswered = true;
      return response;
    } catch (error) {
      throw this.explainBreak(error);
    }
  }

  async #explain(call: Call, response: Response): Promise<Failure> {
    // What a registry says of its refusal is worth reading; if it breaks off, the status says enough.
    const body = await collect(response, TEXT_BYTES_MAX).catch(() => Buffer.alloc(0));
    const { statusCode: status, headers } = response;
    return explainUnwanted(this.endpoint, { request: describe(call), status, headers, body: body.toString() });
  }

  async #ping(): Promise<string | undefined> {
    const call: Call = { method: "GET", url: "/v2/", scopes: [], expected: [200, 401] };
    return await this.#withPatience(async () => {
      const response = await this.#once(call, new URL("/v2/", this.endpoint.url), undefined);
      if (!call.expected.includes(response.statusCode)) throw await this.#explain(call, response);
      await response.body.dump();
      return response.statusCode === 401 ? join(response.headers["www-authenticate"]) : undefined;
    });
  }

  async #ask({ method, url, headers, body }: TokenCall): Promise<string> {
    const call: Call = {
      ...{ method, url, scopes: [], headers, expected: [200] },
      ...(body !== undefined && { body: Buffer.from(body) }),
    };
    return await this.#withPatience(async () => {
      const response = await this.#once(call, url, undefined);
      if (response.statusCode !== 200) throw await this.#explain(call, response);
      return (await collect(response, TEXT_BYTES_MAX)).toString();
    });
  }
}

/** A header as one text. */
export function join(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(", ") : header;
}

async function collect({ body }: Response, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) throw new Failure(`a registry answered with more than ${most} bytes where few are right`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function describe({ method, url }: Call): string {
  return `${method} ${typeof url === "string" ? url.split("?", 1)[0] : url.origin + url.pathname}`;
}
