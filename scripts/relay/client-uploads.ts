import type { BodyLimit } from "../distribution/body-limit.ts";
import type { Patience } from "../distribution/interruption.ts";
import { resolveUrl } from "../distribution/url.ts";
import { reasonOf } from "../local/failure.ts";
import { parseUploadRange } from "../../src/oci/range.ts";
import type { Client } from "./client.ts";
import { passOn, type RawHeaders, valueOf } from "./headers.ts";
import { labelOf, type Report } from "./report.ts";
import { Sessions } from "./sessions.ts";
import type { Tokens } from "./tokens.ts";
import { ForwardedUpload } from "./upload.ts";
import type { Answer, Upstream } from "./upstream.ts";
import { BodyBroken, Window } from "./window.ts";

/** How uploads are sent. */
export interface UploadSettings {
  readonly limit: BodyLimit;
  readonly patience: Patience;
  readonly report: Report;
  /** Ends those under way. */
  readonly signal: AbortSignal;
}

/** A request to an upload session, or for one. */
interface Address {
  readonly repository: string;
  /** Empty for one that is to be opened. */
  readonly id: string;
}

/** Whether a path is of uploads, and of which. */
export function parseUploadPath(target: string): Address | undefined {
  const [path = ""] = target.split("?", 1);
  const [, repository, id] = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(path) ?? [];
  return repository === undefined || id === undefined ? undefined : { repository, id };
}

/** The uploads of all clients. */
export class ClientUploads {
  readonly #upstream: Upstream;
  readonly #tokens: Tokens;
  readonly #settings: UploadSettings;
  readonly #sessions = new Sessions();
  /** How many bodies are under way. */
  active = 0;

  constructor(upstream: Upstream, tokens: Tokens, settings: UploadSettings) {
    this.#upstream = upstream;
    this.#tokens = tokens;
    this.#settings = settings;
  }

  /**
   * Spec end-4a, end-4b and end-11. One that brings a blob which is too large for one request (end-4b) is opened without it, as the
   * spec allows: 202 tells the client to send it there.
   */
  async open(client: Client): Promise<void> {
    const { request } = client;
    const length = lengthOf(request.rawHeaders);
    const url = new URL(request.url ?? "", this.#upstream.endpoint.url);
    const isTooLarge =
      length === undefined ? "transfer-encoding" in request.headers : length > this.#settings.limit.bytes;
    if (isTooLarge) url.searchParams.delete("digest");
    const authorization = await this.#tokens.current(request.headers.authorization);
    const answer = await this.#upstream.ask({
      method: "POST",
      path: url.pathname + url.search,
      headers: [
        ...passOn(request.rawHeaders, "authorization", ...(isTooLarge ? ["content-length"] : [])),
        ...(authorization === undefined ? [] : ["Authorization", authorization]),
      ],
      body: isTooLarge || length === undefined || length === 0 ? undefined : request,
    });
    if (answer.status === 202) {
      this.#settings.limit.learn({ "oci-chunk-max-length": valueOf(answer.headers, "oci-chunk-max-length") });
      const location = pathOf(answer, url);
      if (location !== undefined) this.#sessions.open(location, Date.now());
    }
    client.answer(answer);
  }

  /** Spec end-5 and end-6, of a body of any size. */
  async send(client: Client, method: "PATCH" | "PUT", { repository, id }: Address): Promise<void> {
    const { request } = client;
    const target = request.url ?? "";
    const headers = request.rawHeaders;
    const isChunked = "transfer-encoding" in request.headers;
    const length = isChunked ? undefined : (lengthOf(headers) ?? 0);
    const url = new URL(target, this.#upstream.endpoint.url);
    const digest = method === "PUT" ? url.searchParams.get("digest") : null;
    const body = new Window(request, length);
    const session = this.#sessions.find(url.pathname);
    const range = parseUploadRange(valueOf(headers, "content-range") ?? "");
    const base = range?.offset ?? session?.received;
    const { limit, patience, signal, report } = this.#settings;
    const step = report.begin(labelOf(repository, id, digest), length);
    const means = { limit, patience, signal, upstream: this.#upstream, tokens: this.#tokens, onProgress: step.at };
    const upload = new ForwardedUpload({ method, target, headers, body, length, base }, means);
    this.active += 1;
    try {
      const answer = await upload.run();
      body.close();
      client.answer(answer);
      if (session && answer.status < 300) session.received = upload.received;
      if (method === "PUT") this.#sessions.end(url.pathname);
      // A client that is asked who it is says so, and comes again.
      if (answer.status >= 300 && answer.status !== 401) {
        report.broken({ repository, error: `the registry answered ${answer.status}` });
      } else if (answer.status < 300 && digest !== null) {
        const seconds = session === undefined ? 0 : (Date.now() - session.startedAt) / 1000;
        report.finished({ repository, digest, bytes: upload.received, seconds });
      }
    } catch (error) {
      body.close();
      client.fail(error);
      report.broken({ repository, error: error instanceof BodyBroken ? "the client went away" : reasonOf(error) });
    } finally {
      this.active -= 1;
      step.end();
    }
  }
}

function lengthOf(headers: RawHeaders): number | undefined {
  const text = valueOf(headers, "content-length");
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function pathOf({ headers }: Answer, base: URL): string | undefined {
  const location = valueOf(headers, "location");
  return resolveUrl(location, base)?.pathname;
}
