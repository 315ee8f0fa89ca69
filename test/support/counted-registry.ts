import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import worker from "../../src/worker.ts";
import { Counter, type Usage } from "./counting.ts";
import { basicAuth, endGrace, ORIGIN } from "./registry.ts";
import { watchBindings, type Watcher } from "./watched-bindings.ts";

/** A body, with how it is sent: in one piece with its Content-Length, or in pieces of unknown number. */
export interface SentBody {
  readonly bytes: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** States Content-Length. A body that is no single piece needs it here to be sent with one. */
  readonly length?: number | "unknown";
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: SentBody;
}

/** An answer, read to its end, and what it cost. */
export interface Measured {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly usage: Usage;
}

/** The writable end of a body, fed until the pieces or the reader end. The runtime's own stream, like a request's. */
async function feed(writable: WritableStream<Uint8Array>, pieces: SentBody["bytes"]): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const piece of pieces instanceof Uint8Array ? [pieces] : pieces) await writer.write(piece);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
  }
}

/** A request as the edge would hand it to the Worker. */
function makeRequest(method: string, path: string, { headers, body }: Sent = {}): Request {
  const all = new Headers({ Authorization: basicAuth(), ...headers });
  const init = { method, headers: all, redirect: "manual" } as const;
  if (body === undefined) return new Request(new URL(path, ORIGIN), init);
  const { bytes } = body;
  const length = body.length ?? (bytes instanceof Uint8Array ? bytes.byteLength : "unknown");
  const stream = length === "unknown" ? new IdentityTransformStream() : new FixedLengthStream(length);
  if (length !== "unknown") all.set("Content-Length", String(length));
  void feed(stream.writable, bytes);
  return new Request(new URL(path, ORIGIN), { ...init, body: stream.readable });
}

/**
 * Nothing comes from a cache: what is counted is what an answer costs the first time. And no pull writes down what others counted
 * a minute ago.
 */
const COLD = { CONTENT_CACHE_TTL: "0s", TAG_CACHE_TTL: "0s", BLOB_CACHE: "off", PULL_COUNT_INTERVAL: "1d" };

/** The real Worker over the real D1 and R2, with every call watched. */
export class WatchedRegistry {
  readonly env: Env;

  constructor(watch: Watcher, settings: Readonly<Record<string, string>> = COLD) {
    this.env = { ...watchBindings(env, watch), ...settings };
  }

  /** Sends a request as the admin and reads the answer to its end. */
  async send(method: string, path: string, sent?: Sent): Promise<Omit<Measured, "usage">> {
    const execution = createExecutionContext();
    const request = makeRequest(method, path, sent);
    const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], this.env, execution);
    const bytes = new Uint8Array(await response.arrayBuffer());
    await waitOnExecutionContext(execution);
    return { status: response.status, headers: response.headers, bytes };
  }

  /** What the cron trigger does, when the grace of what was discarded is over. */
  async runSchedule(): Promise<void> {
    await endGrace();
    await worker.scheduled(createScheduledController(), this.env, createExecutionContext());
  }
}

/** A {@link WatchedRegistry} that tells what each request costs. Send one at a time. */
export class CountedRegistry {
  readonly counter = new Counter();
  readonly #registry: WatchedRegistry;

  constructor(settings?: Readonly<Record<string, string>>) {
    this.#registry = new WatchedRegistry(this.counter.watch, settings);
  }

  get env(): Env {
    return this.#registry.env;
  }

  async send(method: string, path: string, sent?: Sent): Promise<Measured> {
    this.counter.reset();
    const answer = await this.#registry.send(method, path, sent);
    return { ...answer, usage: this.counter.usage };
  }

  /** What the cron trigger costs. */
  async runSchedule(): Promise<Usage> {
    this.counter.reset();
    await this.#registry.runSchedule();
    return this.counter.usage;
  }
}

/** The sum of what several requests cost. */
export function sumUsage(measured: readonly Measured[]): Usage {
  const sum = new Counter().usage;
  for (const { usage } of measured) {
    for (const key of Object.keys(sum) as (keyof Usage)[]) sum[key] += usage[key];
  }
  return sum;
}
