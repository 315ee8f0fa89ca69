import { createHash } from "node:crypto";
import type { Random } from "./random.ts";
import type { Run } from "./run.ts";
import { SimulatedDigestStream, SimulatedFixedLengthStream, SimulatedResponse } from "./streams.ts";
import type { Point, World } from "./world.ts";

/** The history whose code runs now. A thread runs one at a time. */
let entered: { readonly world: World; readonly random: Random } | undefined;
let identifiers = 0;

/** From now on, time and chance are those of this history. */
export function enter(world: World, random: Random): void {
  entered = { world, random };
  identifiers = 0;
}

function here(): { readonly world: World; readonly random: Random } {
  if (!entered) throw new Error("no history runs");
  return entered;
}

/** Unique within a history; its beginning is random, so that it orders nothing. */
function randomUUID(): string {
  identifiers += 1;
  return `${here().random.below(0xffffff).toString(16).padStart(6, "0")}-${identifiers}`;
}

async function digest(algorithm: string, bytes: Uint8Array): Promise<ArrayBuffer> {
  const hash = createHash(algorithm.replace("-", "")).update(bytes).digest();
  return await Promise.resolve(new Uint8Array(hash).buffer);
}

class Interval {
  readonly #world: World;
  readonly #run: Run | undefined;
  readonly #work: () => void;
  readonly #everyMs: number;
  #next: Point | undefined;

  constructor(world: World, work: () => void, everyMs: number) {
    this.#world = world;
    this.#run = world.current;
    this.#work = work;
    this.#everyMs = everyMs;
    this.#plan();
  }

  /** Due to the millisecond: the clock does not pass it. Of a run that dies it goes with all else. */
  #plan(): void {
    const at = this.#world.now + this.#everyMs;
    const fire = () => {
      this.#plan();
      this.#work();
    };
    this.#next = { run: this.#run, label: "timer", readyAt: at, dueBy: at, fire };
    this.#world.schedule(this.#next);
  }

  clear(): void {
    if (this.#next) this.#world.unschedule(this.#next);
  }
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

/**
 * Gives this thread what the Workers runtime has and Node lacks, and takes from it all that the seed does not decide: clock,
 * timers, random identifiers, and hashing that ends whenever another thread is done.
 */
export function installRuntime(): void {
  define(globalThis, "crypto", { subtle: { digest }, randomUUID, DigestStream: SimulatedDigestStream });
  define(globalThis, "FixedLengthStream", SimulatedFixedLengthStream);
  define(globalThis, "Response", SimulatedResponse);
  define(globalThis, "setInterval", (work: () => void, everyMs: number) => new Interval(here().world, work, everyMs));
  define(globalThis, "clearInterval", (interval: Interval) => interval.clear());
  define(globalThis, "scheduler", { wait: async (ms: number) => await here().world.pause("scheduler.wait", ms) });
  define(Uint8Array, "fromBase64", (text: string) => new Uint8Array(Buffer.from(text, "base64")));
  define(Uint8Array.prototype, "toBase64", function (this: Uint8Array) {
    return Buffer.from(this).toString("base64");
  });
  for (const method of ["log", "info", "error", "warn"]) define(console, method, () => undefined);
}
