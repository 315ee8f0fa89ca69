import { join } from "node:path";
import { Miniflare, MiniflareCoreError, type MiniflareOptions } from "miniflare";
import { Edge } from "./edge.ts";
import { Failure } from "./failure.ts";
import { Front } from "./front.ts";
import { describeLoadError, printWorkerLog, RuntimeLog } from "./logs.ts";
import type { D1Database } from "./migrations.ts";
import type { Project } from "./project.ts";
import { report } from "./report.ts";
import { boundRuntimeHeap, drainWorkerd, superviseWorkerd } from "./workerd.ts";

/** How long requests under way may take when the server is told to stop. */
const DRAIN_GRACE_MS = 10_000;

/** What the Worker runs with. */
export interface Setup {
  project: Project;
  /** The data folder, absolute. */
  data: string;
  host: string;
  port: number;
  /** What the edge lets through, in bytes of one request's body; undefined: there is no edge. */
  limitBody: number | undefined;
  bindings: Readonly<Record<string, string | number | boolean>>;
}

/** The Workers runtime with its storage on disk. It opens its storage at once, and its port only with `serve`. */
export class LocalServer {
  readonly #setup: Setup;
  readonly #environment: Record<string, string>;
  readonly #runtime: Miniflare;
  readonly #front = new Front();
  readonly #edge: Edge | undefined;

  constructor(setup: Setup) {
    this.#setup = setup;
    this.#edge = setup.limitBody === undefined ? undefined : new Edge(setup.limitBody);
    this.#environment = superviseWorkerd(setup.data);
    boundRuntimeHeap();
    this.#runtime = withoutSignalHandlers(() => new Miniflare(this.#options(undefined)));
    // Whoever awaits the runtime gets its error; until then it must not count as unhandled.
    this.#runtime.ready.catch(() => undefined);
  }

  /** The D1 database of a binding, for this process. */
  async database(binding: string): Promise<D1Database> {
    return await this.#runtime.getD1Database(binding);
  }

  /** Serves the Worker, or serves this one from now on; returns the port. */
  async serve(script: string): Promise<number> {
    try {
      await this.#runtime.setOptions(this.#options(script));
    } catch (error) {
      if (!(error instanceof MiniflareCoreError)) throw error;
      throw new Failure(describeLoadError(error.message));
    }
    const { port } = await this.#runtime.unsafeGetDirectURL();
    const inner = this.#edge ? await this.#edge.open(Number(port)) : Number(port);
    return await this.#front.open(this.#setup.host, this.#setup.port, inner);
  }

  /** Runs the Worker's scheduled handler. */
  async runScheduled(cron: string, scheduledTime: Date): Promise<void> {
    const worker = await this.#runtime.getWorker();
    const { outcome } = await worker.scheduled({ cron, scheduledTime });
    if (outcome !== "ok") throw new Error(`the Worker's scheduled handler ended with '${outcome}'`);
  }

  /** Takes no more requests, gives those under way a moment, and ends the runtime. */
  async stop(): Promise<void> {
    this.#front.close();
    this.#edge?.close();
    await drainWorkerd(this.#setup.data, DRAIN_GRACE_MS);
    await this.#runtime.dispose();
  }

  #options(script: string | undefined): MiniflareOptions {
    const { project, data } = this.#setup;
    const page = script === undefined ? undefined : pageWorker(project);
    return {
      host: "127.0.0.1",
      port: 0,
      workers: [this.#worker(script), ...(page ? [page] : [])],
      // The folder that wrangler uses under --persist-to.
      defaultPersistRoot: join(data, "v3"),
      // Without it, Miniflare asks a server on the internet for a plausible `request.cf`.
      cf: false,
      logRequests: false,
      log: new RuntimeLog(),
      handleStructuredLogs: printWorkerLog,
      unsafeRuntimeEnv: this.#environment,
      unsafeHandleRuntimeRestart: () => report("the Workers runtime ended unexpectedly and was started again"),
    };
  }

  #worker(script: string | undefined) {
    const { project, bindings } = this.#setup;
    const { assets } = project;
    return {
      name: project.name,
      // Served by workerd itself: Miniflare's entry is a Worker of its own in front, three times slower. It stays on a
      // free port of the loopback for this process.
      unsafeDirectSockets: script === undefined ? [] : [{ host: "127.0.0.1", port: 0 }],
      ...moduleOf(script ?? NOTHING),
      compatibilityDate: project.compatibilityDate,
      compatibilityFlags: project.compatibilityFlags,
      bindings: { ...bindings },
      r2Buckets: project.buckets,
      d1Databases: Object.fromEntries(project.databases.map(({ binding, id }) => [binding, id])),
      serviceBindings: assets && script !== undefined ? { [assets.binding]: PAGE_WORKER } : {},
    };
  }
}

/** A Worker that answers nothing. */
const NOTHING = "export default {};";

function moduleOf(script: string) {
  return { modules: [{ type: "ESModule" as const, path: "worker.js", contents: script }], modulesRoot: "." };
}

const PAGE_WORKER = "page";

/**
 * Cloudflare's own server of files, as a Worker beside ours. As Miniflare means it, with the files as an option of our own Worker,
 * it stands in front of that, and every request goes through two more Workers: a quarter fewer of them in a second.
 */
function pageWorker({ assets, compatibilityDate }: Project) {
  if (!assets) return undefined;
  return {
    name: PAGE_WORKER,
    ...moduleOf(NOTHING),
    compatibilityDate,
    assets: { directory: assets.directory, routerConfig: { has_user_worker: false } },
  };
}

/** Miniflare ends the process on signals, and with it the requests under way: main.ts decides that instead. */
function withoutSignalHandlers<T>(make: () => T): T {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const before = signals.map((signal) => new Set(process.listeners(signal)));
  const made = make();
  signals.forEach((signal, index) => {
    for (const listener of process.listeners(signal)) {
      if (before[index]?.has(listener) !== true) process.removeListener(signal, listener);
    }
  });
  return made;
}
