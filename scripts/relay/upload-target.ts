import type { Readable } from "node:stream";
import { Interruption } from "../distribution/interruption.ts";
import { resolveUrl } from "../distribution/url.ts";
import { passOn, type RawHeaders, valueOf } from "./headers.ts";
import type { Tokens } from "./tokens.ts";
import type { Answer, Upstream } from "./upstream.ts";

/** A request to an upload session, and what it takes to send it. */
export interface TargetOptions {
  /** Path and query, as the client has them. */
  readonly target: string;
  /** Of the client's request; all that it is sent as has them too, but for what tells of the body. */
  readonly headers: RawHeaders;
  readonly upstream: Upstream;
  readonly tokens: Tokens;
  readonly signal: AbortSignal;
}

/** Some bytes of a body. */
export interface Piece {
  /** Bytes; undefined for as many as come. */
  readonly length: number | undefined;
  /** Its place in the blob (`Content-Range`), if that is to be said. */
  readonly range: string | undefined;
  readonly content: Readable | undefined;
}

/** An upload session at the registry, with the rights of the client that sends to it. */
export class UploadTarget {
  readonly #options: TargetOptions;
  readonly #query: URLSearchParams;
  /** Where to go on; the registry may say another place each time. */
  #location: URL;

  constructor(options: TargetOptions) {
    this.#options = options;
    this.#location = new URL(options.target, options.upstream.endpoint.url);
    this.#query = new URLSearchParams(this.#location.search);
    this.#location.searchParams.delete("digest");
  }

  /** Spec end-5 and end-6. @throws Interruption; one without delay where the token had ended, and there is another one now. */
  async send(method: "PATCH" | "PUT", { length, range, content }: Piece): Promise<Answer> {
    const { upstream, tokens, signal, headers } = this.#options;
    const answer = await upstream.ask({
      ...{ method, path: this.pathFor(method), body: content, signal },
      headers: [
        ...passOn(headers, "authorization", "content-length", "content-range"),
        ...(await this.#authorization()),
        ...(length === undefined ? [] : ["Content-Length", String(length)]),
        ...(range === undefined ? [] : ["Content-Range", range]),
      ],
    });
    const isEnded = answer.status === 401 && (await tokens.renew(valueOf(headers, "authorization")));
    if (isEnded) throw new Interruption("the token has ended", 0);
    this.#relocate(answer);
    return answer;
  }

  /** Spec end-13. @throws Interruption */
  async status(): Promise<Answer> {
    const { upstream, signal } = this.#options;
    const path = this.pathFor("PATCH");
    const answer = await upstream.ask({ method: "GET", path, headers: await this.#authorization(), signal });
    this.#relocate(answer);
    return answer;
  }

  /** What a PUT is answered with once its blob is there; undefined where it is not. @throws Interruption */
  async findBlob(): Promise<Answer | undefined> {
    const { upstream, signal } = this.#options;
    const [repository = ""] = this.#location.pathname.split("/blobs/uploads/", 1);
    const digest = this.#query.get("digest");
    if (digest === null) return undefined;
    const path = `${repository}/blobs/${digest}`;
    const { status } = await upstream.ask({ method: "HEAD", path, headers: await this.#authorization(), signal });
    if (status !== 200) return undefined;
    const headers = ["Location", path, "Docker-Content-Digest", digest, "Content-Length", "0"];
    return { status: 201, headers, body: Buffer.alloc(0) };
  }

  /** Path and query: those that the client gave go with the PUT that ends the upload. */
  pathFor(method: "PATCH" | "PUT"): string {
    const url = new URL(this.#location);
    if (method === "PUT") for (const [name, value] of this.#query) url.searchParams.set(name, value);
    return url.pathname + url.search;
  }

  async #authorization(): Promise<string[]> {
    const { tokens, headers } = this.#options;
    const authorization = await tokens.current(valueOf(headers, "authorization"));
    return authorization === undefined ? [] : ["Authorization", authorization];
  }

  #relocate({ status, headers }: Answer): void {
    const location = status < 300 ? resolveUrl(valueOf(headers, "location"), this.#location) : undefined;
    if (location?.origin === this.#location.origin && location.pathname.includes("/blobs/uploads/")) {
      this.#location = location;
    }
  }
}
