import { BrokenBody, InjectedFailure, type Run } from "./run.ts";
import type { World } from "./world.ts";

/** The longest that a call takes, from the request to its answer. Holds and graces of src are meant to be longer. */
export const CALL_MAX_MS = 110_000;

/** How long after its failure a call that was taken for lost may still have its effect. Less than the grace of discarded objects. */
export const LATE_MAX_MS = 4 * 60_000;

/** How probable it is that something happens to one call. */
export interface Rates {
  readonly fail: number;
  readonly kill: number;
  readonly abandon: number;
  readonly slow: number;
}

/**
 * What lies between Workers, their bindings and their clients. Every call is a point of the scheduler; there it may fail,
 * before or after its effect, be slow, or be the last that its Worker lives to make.
 */
export class Network {
  readonly #world: World;
  readonly #rates: Rates;
  /** Calls take their effect at once and nothing fails: for what lies before and after a history. */
  isCalm = false;

  constructor(world: World, rates: Rates) {
    this.#world = world;
    this.#rates = rates;
  }

  /** A call to a binding: its effect happens at once when its time has come, or, as the scheduler decides, late or never. */
  async call<T>(run: Run, label: string, effect: () => T): Promise<T> {
    if (this.isCalm) return effect();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (!run.isAlive) return await promise;
    run.open();
    const readyAt =
      this.#world.now + (this.#world.random.chance(this.#rates.slow) ? this.#world.random.below(CALL_MAX_MS) : 0);
    const dueBy = this.#world.now + CALL_MAX_MS;
    const late = () => this.#perhapsLate(run, label, effect);
    const fire = () => this.#settle({ run, label, effect, resolve, reject, dueBy });
    this.#world.schedule({ run, label, readyAt, dueBy, fire, onKill: late });
    return await promise;
  }

  /** A call that takes a stream may fail before it has read any of it; it lets go of the stream then. */
  async mayRefuse(run: Run, label: string, stream: { cancel: (reason: unknown) => Promise<void> }): Promise<void> {
    if (this.isCalm || !this.#world.random.chance(this.#rates.fail / 2)) return;
    run.isFaulted = true;
    const failure = new InjectedFailure(`${label} was refused on purpose`);
    this.#world.log(() => `  ${failure.message}`);
    await stream.cancel(failure);
    throw failure;
  }

  #settle<T>(call: {
    readonly run: Run;
    readonly label: string;
    readonly effect: () => T;
    readonly resolve: (value: T) => void;
    readonly reject: (error: unknown) => void;
    readonly dueBy: number;
  }): void {
    const { run, label, effect, resolve, reject, dueBy } = call;
    const { fail, kill, abandon, slow } = this.#rates;
    if (this.#world.random.chance(abandon)) this.#abandon(run);
    if (this.#world.random.chance(fail)) {
      run.isFaulted = true;
      this.#perhapsLate(run, label, effect);
      reject(new InjectedFailure(`${label} failed on purpose`));
      return;
    }
    if (this.#world.random.chance(kill)) {
      this.#perhapsLate(run, label, effect);
      this.#kill(run);
      return;
    }
    const outcome = attempt(effect);
    const answer = () => {
      run.close();
      if (outcome.isDone) resolve(outcome.value);
      else reject(outcome.error);
    };
    if (!this.#world.random.chance(slow)) {
      answer();
      return;
    }
    const readyAt = this.#world.now + this.#world.random.below(dueBy - this.#world.now);
    this.#world.schedule({ run, label: `${label}: answer`, readyAt, dueBy, fire: answer, onKill: () => run.close() });
  }

  /** What becomes of a call whose caller will not hear of it: its effect comes now, later, or never. */
  #perhapsLate(run: Run, label: string, effect: () => unknown): void {
    const fate = this.#world.random.pick(["never", "now", "late"] as const);
    this.#world.log(() => `  ${label} of ${run.label} is lost; its effect comes ${fate}`);
    const end = () => {
      attempt(effect);
      run.close();
    };
    if (fate === "never") run.close();
    else if (fate === "now") end();
    else {
      const readyAt = this.#world.now + this.#world.random.below(LATE_MAX_MS);
      this.#world.schedule({ run: undefined, label: `${label}, late`, readyAt, dueBy: readyAt + 1_000, fire: end });
    }
  }

  /** The Worker dies: nothing of it goes on, not even `finally`. What it had sent may arrive. */
  #kill(run: Run): void {
    this.#world.log(() => `  ${run.label} dies`);
    run.isAlive = false;
    run.isFaulted = true;
    this.#abandon(run);
    for (const point of this.#world.takeAll(run)) point.onKill?.();
    run.close();
  }

  #abandon(run: Run): void {
    if (run.isAbandoned) return;
    this.#world.log(() => `  the client of ${run.label} is gone`);
    run.isAbandoned = true;
    run.abandon?.();
  }

  /** The next piece of a client's body. */
  async receive<T>(run: Run, label: string, piece: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (!run.isAlive) return await promise;
    const isSlow = this.#world.random.chance(this.#rates.slow);
    const readyAt = this.#world.now + (isSlow ? this.#world.random.below(5 * CALL_MAX_MS) : 0);
    const fire = () => {
      if (run.isAbandoned || this.#world.random.chance(this.#rates.fail)) reject(new BrokenBody("the client is gone"));
      else resolve(piece());
    };
    this.#world.schedule({ run, label, readyAt, dueBy: Infinity, fire });
    return await promise;
  }
}

type Outcome<T> = { readonly isDone: true; readonly value: T } | { readonly isDone: false; readonly error: unknown };

function attempt<T>(effect: () => T): Outcome<T> {
  try {
    return { isDone: true, value: effect() };
  } catch (error) {
    return { isDone: false, error };
  }
}
