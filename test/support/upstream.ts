import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type ours from "../../src/worker.ts";
import { setVisibility } from "./people.ts";
import { freshRepository, ORIGIN, type Sent } from "./registry.ts";

/** What an upstream answers in place of the registry that it is; undefined leaves it to that. */
export type Fault = (request: Request) => Response | undefined | Promise<Response | undefined>;

/**
 * A Worker of its own beside that of the other tests: these set the clock, and what an isolate remembers must not come from the future.
 */
const OTHER = "../../src/worker.ts?mirror";
const { default: worker } = (await import(/* @vite-ignore */ OTHER)) as { default: typeof ours };

let upstreams = 0;
const byHost = new Map<string, (request: Request) => Promise<Response>>();

/** Has all hosts of the network answer that tests have made; others are not to be found. */
function wire(): void {
  vi.stubGlobal("fetch", async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    const host = byHost.get(new URL(request.url).host);
    if (!host) throw new TypeError("there is no such host");
    // A request that is given up is given up, whoever should have answered it.
    const { signal } = request;
    const gone = new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        reject(signal.reason as Error);
      });
    });
    return await Promise.race([host(request), gone]);
  });
}

/** Has a host answer that is no registry. */
export function addHost(host: string, answer: (request: Request) => Promise<Response>): void {
  byHost.set(host, answer);
  wire();
}

/** An answer, and the work that goes on behind it. */
export interface Mirrored {
  readonly response: Response;
  /** Waits until all of that is done; what of the body nobody has read is read. */
  readonly settled: () => Promise<void>;
}

/**
 * An upstream: this Worker itself, by another name, which no test shares. What is pushed to a repository is there, with the real token
 * service before it.
 */
export class TestUpstream {
  readonly name = `up${++upstreams}.test`;
  /** What it was asked, as `GET /v2/…`, without tokens. */
  readonly requests: string[] = [];
  /** Where it was asked for tokens. */
  readonly tokenRequests: string[] = [];
  fault: Fault | undefined;
  readonly #settings: Readonly<Record<string, unknown>>;
  readonly #names = new Map<string, string>();

  constructor(settings: Readonly<Record<string, unknown>> = {}) {
    this.#settings = { anonymous: true, ...settings };
    this.listenOn(this.name);
  }

  /** Has another host answer for it. */
  listenOn(host: string): void {
    addHost(host, async (request) => await this.#answer(request));
  }

  /** Has a repository be there by another name than it has in the Worker. */
  rename(name: string, repository: string): void {
    this.#names.set(name, repository);
  }

  /** The request, and the scope of a token, as the Worker knows the repository. */
  #renamed(request: Request): Request {
    let { url } = request;
    for (const [name, repository] of this.#names) {
      url = url.replace(`/v2/${name}/`, `/v2/${repository}/`);
      url = url.replace(encodeURIComponent(`repository:${name}:`), encodeURIComponent(`repository:${repository}:`));
    }
    return url === request.url ? request : new Request(url, request);
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/token") this.tokenRequests.push(request.url);
    else this.requests.push(`${request.method} ${url.pathname}`);
    const faulty = await this.fault?.(request);
    if (faulty) return faulty;
    const execution = createExecutionContext();
    const known = this.#renamed(request) as Parameters<typeof worker.fetch>[0];
    return await worker.fetch(known, { ...env, UPSTREAMS: "" }, execution);
  }

  /** The requests since the last time that it was asked. */
  take(): string[] {
    return this.requests.splice(0);
  }

  /** Settings of the Worker that mirrors it. */
  get settings(): Record<string, unknown> {
    return { UPSTREAMS: JSON.stringify([{ name: this.name, ...this.#settings }]) };
  }

  /** Sends a request, without credentials, to the Worker that mirrors it. */
  async send(method: string, path: string, sent: Sent = {}, more: object = {}): Promise<Mirrored> {
    const request = new Request(new URL(path, ORIGIN), { method, headers: { ...sent.headers }, redirect: "manual" });
    const execution = createExecutionContext();
    const response = await worker.fetch(
      request as Parameters<typeof worker.fetch>[0],
      { ...env, PULL_COUNT_INTERVAL: "1d", ...this.settings, ...more },
      execution,
    );
    const settled = async () => {
      if (!response.bodyUsed) await response.arrayBuffer().catch(() => undefined);
      await waitOnExecutionContext(execution);
    };
    return { response, settled };
  }

  /** Sends a request, and waits until all that it leads to is done. */
  async ask(method: string, path: string, sent: Sent = {}, more: object = {}): Promise<Answer> {
    const { response, settled } = await this.send(method, path, sent, more);
    const bytes = new Uint8Array(await response.arrayBuffer());
    await settled();
    return { status: response.status, headers: response.headers, bytes };
  }
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** Lets time pass, as far as the Worker can tell. Returns how to let more pass. */
export function passTime(): (ms: number) => void {
  const { now } = Date;
  let passed = 0;
  vi.spyOn(Date, "now").mockImplementation(() => now() + passed);
  return (ms) => {
    passed += ms;
  };
}

/** A repository of an upstream that anyone may pull there, and its address here. */
export async function publicRepository({ name }: TestUpstream): Promise<{ remote: string; path: string }> {
  const remote = freshRepository();
  await setVisibility(remote, "public");
  return { remote, path: `/v2/${name}/${remote}` };
}

/** What an answer says is wrong. */
export function errorOf({ bytes }: Answer): { code: string; message: string } {
  return (JSON.parse(new TextDecoder().decode(bytes)) as { errors: [{ code: string; message: string }] }).errors[0];
}
