import { type Config, configOf } from "../../src/config.ts";
import type { Context } from "../../src/context.ts";
import { MirrorMemory } from "../../src/mirror/memory.ts";
import { OciError } from "../../src/oci/error.ts";
import type { SimulatedD1 } from "./d1.ts";
import type { Network } from "./network.ts";
import type { SimulatedR2 } from "./r2.ts";
import { GC_GRACE_MS, type UntaggedTtl } from "./times.ts";
import { type Answer, BrokenBody, InjectedFailure, Run } from "./run.ts";
import { Violation, type World } from "./world.ts";

const SETTINGS = {
  UPLOAD_TTL: "1h",
  GC_GRACE: `${GC_GRACE_MS / 1_000}s`,
  ADMIN_PASSWORD: "a password of nobody",
  TOKEN_SECRET: "a secret of the simulation that signs nothing at all",
};

/** The registry as clients reach it: each request is a Worker of its own, over one database and one bucket. */
export class Service {
  readonly #world: World;
  readonly #network: Network;
  readonly #db: SimulatedD1;
  readonly #bucket: SimulatedR2;
  readonly #config: Config;
  readonly #runs: Run[] = [];

  constructor(world: World, network: Network, db: SimulatedD1, bucket: SimulatedR2, ttl: UntaggedTtl) {
    this.#world = world;
    this.#network = network;
    this.#db = db;
    this.#bucket = bucket;
    this.#config = configOf({ ...SETTINGS, UNTAGGED_TTL: ttl.setting });
  }

  /** Requests so far. */
  get requests(): number {
    return this.#runs.length;
  }

  #contextOf(run: Run): Context {
    return {
      config: this.#config,
      db: this.#db.bindingFor(this.#network, run),
      bucket: this.#bucket.bindingFor(run),
      now: () => this.#world.now,
      fetch: () => {
        throw new Error("nothing is fetched here");
      },
      limiters: { narrow: undefined, wide: undefined },
      mirror: new MirrorMemory(),
      // It goes on beside the answer, and dies with its Worker.
      defer: (work) => void work.catch((error: unknown) => this.#classify(run, error)),
    };
  }

  #newRun(label: string): Run {
    const id = this.#runs.length + 1;
    const run = new Run(id, `#${id} ${label}`, this.#world.random.next());
    this.#runs.push(run);
    return run;
  }

  /**
   * What a client hears of a request. Only an OciError may refuse it, and only failures that were injected may lose it: anything
   * else that is thrown is a defect.
   */
  async request<T>(label: string, work: (context: Context, run: Run) => Promise<T>): Promise<Answer<T>> {
    const run = this.#newRun(label);
    const { promise, resolve } = Promise.withResolvers<Answer<T>>();
    run.abandon = () => resolve({ kind: "lost", run });
    const end = (answer: Answer<T>): void => {
      this.#world.log(() => `  ${run.label}: ${tell(answer)}`);
      run.close();
      resolve(answer);
    };
    const fire = (): void => {
      work(this.#contextOf(run), run).then(
        (value) => end({ kind: "done", value }),
        (error: unknown) => end(this.#classify(run, error)),
      );
    };
    this.#world.schedule({ run, label: "begins", readyAt: this.#world.now, dueBy: Infinity, fire });
    return await promise;
  }

  #classify(run: Run, error: unknown): Answer<never> {
    if (error instanceof OciError) return { kind: "refused", error };
    if (!isInjected(error) && !(error instanceof Violation)) {
      this.#world.violate(
        `${run.label} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
    return { kind: "lost", run };
  }

  /** An operation at a time when nothing else happens and nothing fails. It throws what the operation throws. */
  async calmly<T>(work: (context: Context) => Promise<T>): Promise<T> {
    return await work(this.#contextOf(this.#newRun("calm")));
  }
}

function isInjected(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isInjected);
  return error instanceof InjectedFailure || error instanceof BrokenBody;
}

function tell(answer: Answer<unknown>): string {
  if (answer.kind === "refused") return `refused: ${answer.error.code} ${answer.error.message}`;
  return answer.kind === "lost"
    ? "lost"
    : `done ${((JSON.stringify(answer.value) as string | undefined) ?? "").slice(0, 100)}`;
}
