import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** How a registry of a test behaves. */
export interface Habits {
  /** What it asks for: nothing, unless it is said. */
  readonly auth?: "basic" | "bearer";
  /** Seconds that a token lasts. */
  readonly tokenTtl?: number;
  /** Whether it answers the referrers API, and lists who has a subject. */
  readonly hasReferrers?: boolean;
  readonly ignoresRanges?: boolean;
  /** A PATCH of more is 416, as GitHub's registry has it; a body of more is 413, as proxies have it. */
  readonly chunkMax?: number;
  readonly bodyMax?: number;
  /** What the start of an upload says. */
  readonly uploadHeaders?: Readonly<Record<string, string>>;
  readonly pageSize?: number;
  /** Where blobs lie. */
  readonly redirect?: string;
}

/** What goes wrong with a request: undefined for nothing. A body is read, or its answer sent, up to a byte. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | { readonly breakBodyAt: number }
  | { readonly breakAnswerAt: number }
  | "break"
  | "break after"
  | "stall";

/** A request as it came. */
export interface Received {
  /** `GET /v2/a/tags/list?n=1000` */
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
}

interface Kept {
  readonly type: string;
  readonly bytes: Buffer;
}

interface Referred {
  readonly digest: string;
}

interface Content {
  readonly config?: Referred;
  readonly layers?: readonly Referred[];
  readonly manifests?: readonly Referred[];
  readonly subject?: Referred;
}

interface RepositoryContent {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, Kept>;
  readonly tags: Map<string, string>;
}

export const USER = { username: "alice", password: "open sesame" };
const INDEX = "application/vnd.oci.image.index.v1+json";

export const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A registry in memory, as the distribution spec has it, whose requests a test may let go wrong. */
export class MemoryRegistry {
  readonly requests: Received[] = [];
  readonly repositories = new Map<string, RepositoryContent>();
  readonly uploads = new Map<string, { readonly name: string; bytes: Buffer }>();
  /** Asked for each request but those for tokens; the first answer that is one is what goes wrong. */
  fault: (request: Received) => Fault | undefined = () => undefined;
  host = "";
  readonly #habits: Habits;
  readonly #tokens = new Map<string, { readonly scopes: readonly string[]; readonly endsAt: number }>();

  constructor(habits: Habits) {
    this.#habits = habits;
  }

  get url(): URL {
    return new URL(`http://${this.host}`);
  }

  repository(name: string): RepositoryContent {
    const known = this.repositories.get(name) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    this.repositories.set(name, known);
    return known;
  }

  /** What came, in short. */
  lines(pattern: RegExp): string[] {
    return this.requests.map(({ line }) => line).filter((line) => pattern.test(line));
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = { line: `${request.method ?? ""} ${request.url ?? ""}`, headers: request.headers };
    const url = new URL(request.url ?? "", this.url);
    if (url.pathname === "/token") {
      this.#answerToken(request, response, url);
      return;
    }
    this.requests.push(received);
    const fault = this.fault(received);
    if (fault === "break") return void response.destroy();
    if (fault === "stall") return;
    if (typeof fault === "object" && "status" in fault) {
      request.resume();
      return void response.writeHead(fault.status, fault.headers).end(fault.body);
    }
    if (!this.#lets(request, url, response)) return;
    await this.#route(request, response, url, fault);
  }

  #answerToken(request: IncomingMessage, response: ServerResponse, url: URL): void {
    this.requests.push({ line: `GET ${url.pathname}${url.search}`, headers: request.headers });
    const { authorization } = request.headers;
    if (authorization !== undefined && authorization !== basic(USER)) return void response.writeHead(401).end();
    const token = randomUUID();
    const ttl = this.#habits.tokenTtl ?? 300;
    this.#tokens.set(token, { scopes: url.searchParams.getAll("scope"), endsAt: Date.now() + ttl * 1000 });
    response.writeHead(200).end(JSON.stringify({ token, expires_in: ttl }));
  }

  #lets(request: IncomingMessage, { pathname, searchParams }: URL, response: ServerResponse): boolean {
    const { auth } = this.#habits;
    const { authorization = "" } = request.headers;
    if (auth === undefined || (auth === "basic" && authorization === basic(USER))) return true;
    const known = this.#tokens.get(authorization.replace("Bearer ", ""));
    const name = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(pathname)?.[1];
    const action = /^(GET|HEAD)$/.test(request.method ?? "") ? "pull" : "push";
    const needed = name === undefined ? "" : `repository:${name}:`;
    const from = searchParams.get("from");
    const isAllowed =
      known?.scopes.some((scope) => scope.startsWith(needed) && scope.includes(action)) === true &&
      (from === null || known.scopes.includes(`repository:${from}:pull`));
    if (auth === "bearer" && known && known.endsAt > Date.now() && isAllowed) return true;
    const challenge =
      auth === "basic" ? 'Basic realm="it"' : `Bearer realm="http://${this.host}/token",service="memory"`;
    request.resume();
    response.writeHead(401, { "WWW-Authenticate": challenge });
    response.end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] }));
    return false;
  }

  async #route(request: IncomingMessage, response: ServerResponse, url: URL, fault: Fault | undefined): Promise<void> {
    const [, name = "", noun = "", rest = ""] =
      /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/(.*)$/.exec(url.pathname) ?? [];
    const { method = "" } = request;
    if (noun === "blobs/uploads") {
      await this.#upload(request, response, { name, id: rest, url, fault });
      return;
    }
    if (noun === "manifests" && method === "PUT") {
      await this.#putManifest(request, response, name, rest);
      return;
    }
    const answer = this.#read({ name, noun, rest, url });
    const found = typeof answer === "number" ? { status: answer, headers: {}, body: Buffer.alloc(0) } : answer;
    const { body, ...head } = noun === "blobs" && method === "GET" ? this.#cut(found, request) : found;
    response.writeHead(head.status, { "Content-Length": body.length, ...head.headers });
    if (method === "HEAD") return void response.end();
    if (typeof fault !== "object" || !("breakAnswerAt" in fault)) return void response.end(body);
    response.write(body.subarray(0, fault.breakAnswerAt), () => request.socket.destroySoon());
  }

  #read({ name, noun, rest, url }: { name: string; noun: string; rest: string; url: URL }) {
    const { blobs, manifests, tags } = this.repository(name);
    if (url.pathname === "/v2/") return ok(Buffer.from("{}"));
    if (url.pathname === "/v2/_catalog") {
      return ok(
        Buffer.from(JSON.stringify({ repositories: [...this.repositories.keys()].filter((known) => known !== "") })),
      );
    }
    if (noun === "manifests") {
      const digest = tags.get(rest) ?? rest;
      const found = manifests.get(digest);
      return found
        ? ok(found.bytes, { "Content-Type": found.type, "Docker-Content-Digest": digest })
        : unknown("MANIFEST_UNKNOWN");
    }
    if (noun === "blobs") {
      const { redirect } = this.#habits;
      if (redirect !== undefined) return { status: 307, headers: { Location: `${redirect}/${rest}` }, body: empty() };
      const found = blobs.get(rest);
      return found ? ok(found, { "Docker-Content-Digest": rest }) : unknown("BLOB_UNKNOWN");
    }
    if (noun === "tags") return this.#listTags([...tags.keys()].sort(), name, url);
    if (noun === "referrers" && this.#habits.hasReferrers === true) {
      const list = [...manifests].filter(([, { bytes }]) => subjectOf(bytes) === rest);
      const referrers = list.map(([digest, { type, bytes }]) => ({ mediaType: type, digest, size: bytes.length }));
      const index = { schemaVersion: 2, mediaType: INDEX, manifests: referrers };
      return ok(Buffer.from(JSON.stringify(index)), { "Content-Type": INDEX });
    }
    return 404;
  }

  #listTags(all: readonly string[], name: string, url: URL) {
    const { pageSize = 1000 } = this.#habits;
    const left = all.filter((tag) => tag > (url.searchParams.get("last") ?? ""));
    const page = left.slice(0, pageSize);
    const next = `</v2/${name}/tags/list?last=${page.at(-1) ?? ""}>; rel="next"`;
    return ok(Buffer.from(JSON.stringify({ name, tags: page })), left.length > page.length ? { Link: next } : {});
  }

  #cut(found: ReturnType<typeof ok>, { headers }: IncomingMessage): ReturnType<typeof ok> {
    const [, start] = /^bytes=(\d+)-$/.exec(headers.range ?? "") ?? [];
    if (start === undefined || this.#habits.ignoresRanges === true || found.status !== 200) return found;
    const body = found.body.subarray(Number(start));
    const range = `bytes ${start}-${found.body.length - 1}/${found.body.length}`;
    return { status: 206, headers: { ...found.headers, "Content-Range": range }, body };
  }

  async #putManifest(request: IncomingMessage, response: ServerResponse, name: string, reference: string) {
    const bytes = await read(request);
    const digest = digestOf(bytes);
    const { manifests, tags, blobs } = this.repository(name);
    const { config, layers = [], manifests: children = [] } = JSON.parse(bytes.toString()) as Content;
    const needed = [...(config ? [config] : []), ...layers];
    const lacks =
      needed.some((blob) => !blobs.has(blob.digest)) ||
      children.some((child) => !manifests.has(child.digest) && !blobs.has(child.digest));
    if (lacks) {
      const body = { errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: "it refers to what is not there" }] };
      return void response.writeHead(404).end(JSON.stringify(body));
    }
    manifests.set(digest, { type: request.headers["content-type"] ?? "", bytes });
    if (!reference.includes(":")) tags.set(reference, digest);
    const subject = this.#habits.hasReferrers === true ? subjectOf(bytes) : undefined;
    response.writeHead(201, {
      "Docker-Content-Digest": digest,
      ...(subject !== undefined && { "OCI-Subject": subject }),
    });
    response.end();
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    { name, id, url, fault }: { name: string; id: string; url: URL; fault: Fault | undefined },
  ): Promise<void> {
    const { blobs } = this.repository(name);
    const length = Number(request.headers["content-length"] ?? 0);
    if (length > (this.#habits.bodyMax ?? Infinity)) return void response.writeHead(413).end();
    if (request.method === "PATCH" && length > (this.#habits.chunkMax ?? Infinity)) {
      return void response.writeHead(416).end();
    }
    if (request.method === "POST") {
      const mounted = this.repositories.get(url.searchParams.get("from") ?? "")?.blobs;
      const digest = url.searchParams.get("mount") ?? "";
      const bytes = mounted?.get(digest);
      if (bytes) {
        blobs.set(digest, bytes);
        return void response.writeHead(201, { Location: `/v2/${name}/blobs/${digest}` }).end();
      }
      const fresh = randomUUID();
      this.uploads.set(fresh, { name, bytes: empty() });
      const headers = { Location: `/v2/${name}/blobs/uploads/${fresh}?state=0`, ...this.#habits.uploadHeaders };
      return void response.writeHead(202, headers).end();
    }
    const session = this.uploads.get(id);
    if (!session) return void response.writeHead(404).end();
    if (request.method === "DELETE") {
      this.uploads.delete(id);
      return void response.writeHead(204).end();
    }
    if (request.method !== "GET") {
      const [, start] = /^(\d+)-/.exec(request.headers["content-range"] ?? "") ?? [];
      if (start !== undefined && Number(start) !== session.bytes.length) return void response.writeHead(416).end();
      const most = typeof fault === "object" && "breakBodyAt" in fault ? fault.breakBodyAt : Infinity;
      session.bytes = Buffer.concat([session.bytes, await read(request, most)]);
      if (most < length) return void response.destroy();
    }
    const { bytes } = session;
    const headers = { Location: `/v2/${name}/blobs/uploads/${id}?state=${bytes.length}` };
    const range = { Range: `0-${Math.max(0, bytes.length - 1)}` };
    if (request.method === "PUT") {
      const digest = url.searchParams.get("digest") ?? "";
      if (digest !== digestOf(bytes)) return void response.writeHead(400).end();
      blobs.set(digest, bytes);
      this.uploads.delete(id);
    }
    if (fault === "break after") return void response.destroy();
    const status = request.method === "GET" ? 204 : request.method === "PUT" ? 201 : 202;
    response.writeHead(status, { ...headers, ...range }).end();
  }
}

/** Starts one, on a free port of the loopback, until the test ends. */
export async function startMemoryRegistry(habits: Habits = {}): Promise<MemoryRegistry> {
  const registry = new MemoryRegistry(habits);
  const server = createServer((request, response) => {
    // A body that breaks off is what tests are about.
    const { socket } = request;
    registry.answer(request, response).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  registry.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return registry;
}

function ok(
  body: Buffer,
  headers: Record<string, string> = {},
): {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
} {
  return { status: 200, headers, body };
}

function unknown(code: string): ReturnType<typeof ok> {
  return {
    status: 404,
    headers: {},
    body: Buffer.from(JSON.stringify({ errors: [{ code, message: "it is not here" }] })),
  };
}

function empty(): Buffer {
  return Buffer.alloc(0);
}

function basic({ username, password }: typeof USER): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function subjectOf(bytes: Buffer): string | undefined {
  return (JSON.parse(bytes.toString()) as Content).subject?.digest;
}

/** A body up to a byte, or its end. */
async function read(request: IncomingMessage, most = Infinity): Promise<Buffer> {
  let bytes = empty();
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk.subarray(0, most - bytes.length)]);
    if (bytes.length === most) return bytes;
  }
  return bytes;
}
