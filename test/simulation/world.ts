import type { Random } from "./random.ts";
import { BrokenBody, InjectedFailure, type Run } from "./run.ts";

/** The longest that a call takes, from the request to its answer. Holds and graces of src are meant to be longer. */
const CALL_MAX_MS = 110_000;

/** How long after its failure a call that was taken for lost may still have its effect. Less than the grace of discarded objects. */
const LATE_MAX_MS = 4 * 60_000;

/** Far more than a history takes: one that passes it would never end. */
const STEPS_MAX = 20_000;

/** How probable it is that something happens to one call. */
export interface Rates {
  readonly fail: number;
  readonly kill: number;
  readonly abandon: number;
  readonly slow: number;
}

/** Which of the calls that could go on is let: any; rather one of the same run; rather one of the run of highest priority. */
export type Style = "any" | "same" | "first";

/** A moment that the scheduler owns: a call to a binding, a piece of a body, a timer, a pause of a client. */
export interface Point {
  readonly run: Run | undefined;
  readonly label: string;
  readonly readyAt: number;
  /** The clock does not pass this while the point waits. */
  readonly dueBy: number;
  readonly fire: () => void;
  /** Its run died before it fired. */
  readonly onKill?: () => void;
}

/** A broken promise of the code under test, or of the simulation. */
export class Violation extends Error {
  override readonly name = "Violation";
}

const afterMicrotasks = async (): Promise<void> => {
  await new Promise<void>((resolve) => setImmediate(resolve));
};

/**
 * The clock and the scheduler of one history. It lets one point fire at a time, and everything that follows from it happen
 * before the next, so that the seed alone decides the order of all things.
 */
export class World {
  readonly random: Random;
  readonly #rates: Rates;
  readonly #style: Style;
  /** Hears of each step, for a replay. */
  readonly #trace: ((line: string) => void) | undefined;
  #points: Point[] = [];
  #steps = 0;
  #sequence = 0;
  #fingerprint = 0;
  #violation: Violation | undefined;
  /** Milliseconds since the epoch. */
  now = Date.UTC(2026, 0, 1);
  /** The run to which the code that runs now belongs. */
  current: Run | undefined;
  /** Calls take their effect at once and nothing fails: for looking at the end of a history. */
  isCalm = false;

  constructor(random: Random, rates: Rates, style: Style, trace: ((line: string) => void) | undefined) {
    this.random = random;
    this.#rates = rates;
    this.#style = style;
    this.#trace = trace;
  }

  get steps(): number {
    return this.#steps;
  }

  /** The same for the same history, down to each decision. */
  get fingerprint(): number {
    return this.#fingerprint;
  }

  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** Grows with each thing that a client does or hears: tells what came before what. */
  tick(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Ends the history: the first violation counts. */
  violate(message: string): Violation {
    this.#violation ??= new Violation(message);
    return this.#violation;
  }

  log(line: () => string): void {
    this.#trace?.(line());
  }

  schedule(point: Point): void {
    this.#points.push(point);
  }

  unschedule(point: Point): void {
    this.#points = this.#points.filter((other) => other !== point);
  }

  /** A pause of a client. The clock may pass it by nothing but itself. */
  async pause(label: string, durationMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const readyAt = this.now + durationMs;
      this.schedule({ run: undefined, label, readyAt, dueBy: Infinity, fire: resolve });
    });
  }

  /** Runs until nothing is left to happen, or something is wrong. */
  async runToEnd(): Promise<void> {
    await afterMicrotasks();
    while (this.#points.length > 0 && !this.#violation) {
      if (this.#steps >= STEPS_MAX) throw this.violate(`the history does not end: ${this.#points[0]?.label ?? ""}`);
      this.#steps += 1;
      const point = this.#choose();
      this.unschedule(point);
      this.current = point.run;
      this.#note(point);
      point.fire();
      await afterMicrotasks();
    }
  }

  #note(point: Point): void {
    this.log(() => `${this.#steps} +${((this.now - Date.UTC(2026, 0, 1)) / 1_000).toFixed(3)}s ${name(point)}`);
    const mixed = Math.imul(this.#fingerprint ^ (point.run?.id ?? 0), 0x01000193) ^ point.label.length;
    this.#fingerprint = Math.imul(mixed ^ this.now, 0x01000193) >>> 0;
  }

  #choose(): Point {
    const earliest = Math.min(...this.#points.map((point) => point.readyAt));
    if (earliest > this.now) this.now = earliest;
    else if (this.random.chance(0.3)) this.#tickOn();
    const overdue = this.#points.filter((point) => point.dueBy <= this.now);
    const ready = overdue.length > 0 ? overdue : this.#points.filter((point) => point.readyAt <= this.now);
    return this.#prefer(ready);
  }

  /** The clock goes on by a little, mostly, as far as what is on its way allows. */
  #tickOn(): void {
    const step = this.random.chance(0.05) ? this.random.below(CALL_MAX_MS) : this.random.below(500);
    this.now = Math.min(this.now + step, ...this.#points.map((point) => point.dueBy));
  }

  #prefer(ready: readonly Point[]): Point {
    if (this.#style === "any" || this.random.chance(0.15)) return this.random.pick(ready);
    if (this.#style === "same") {
      const same = ready.filter((point) => point.run === this.current);
      return this.random.pick(same.length > 0 ? same : ready);
    }
    return ready.reduce((first, point) =>
      (point.run?.priority ?? 0.5) > (first.run?.priority ?? 0.5) ? point : first,
    );
  }

  /** A call to a binding: its effect happens at once when its time has come, or, as the scheduler decides, late or never. */
  async call<T>(run: Run, label: string, effect: () => T): Promise<T> {
    if (this.isCalm) return effect();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (!run.isAlive) return await promise;
    run.open();
    const readyAt = this.now + (this.random.chance(this.#rates.slow) ? this.random.below(CALL_MAX_MS) : 0);
    const dueBy = this.now + CALL_MAX_MS;
    const late = () => this.#perhapsLate(run, label, effect);
    const fire = () => this.#settle({ run, label, effect, resolve, reject, dueBy });
    this.schedule({ run, label, readyAt, dueBy, fire, onKill: late });
    return await promise;
  }

  /** A call that takes a stream may fail before it has read any of it; it lets go of the stream then. */
  async mayRefuse(run: Run, label: string, stream: { cancel: (reason: unknown) => Promise<void> }): Promise<void> {
    if (this.isCalm || !this.random.chance(this.#rates.fail / 2)) return;
    run.isFaulted = true;
    const failure = new InjectedFailure(`${label} was refused on purpose`);
    this.log(() => `  ${failure.message}`);
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
    if (this.random.chance(abandon)) this.#abandon(run);
    if (this.random.chance(fail)) {
      run.isFaulted = true;
      this.#perhapsLate(run, label, effect);
      reject(new InjectedFailure(`${label} failed on purpose`));
      return;
    }
    if (this.random.chance(kill)) {
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
    if (!this.random.chance(slow)) {
      answer();
      return;
    }
    const readyAt = this.now + this.random.below(dueBy - this.now);
    this.schedule({ run, label: `${label}: answer`, readyAt, dueBy, fire: answer, onKill: () => run.close() });
  }

  /** What becomes of a call whose caller will not hear of it: its effect comes now, later, or never. */
  #perhapsLate(run: Run, label: string, effect: () => unknown): void {
    const fate = this.random.pick(["never", "now", "late"] as const);
    this.log(() => `  ${label} of ${run.label} is lost; its effect comes ${fate}`);
    const end = () => {
      attempt(effect);
      run.close();
    };
    if (fate === "never") run.close();
    else if (fate === "now") end();
    else {
      const readyAt = this.now + this.random.below(LATE_MAX_MS);
      this.schedule({ run: undefined, label: `${label}, late`, readyAt, dueBy: readyAt + 1_000, fire: end });
    }
  }

  /** The Worker dies: nothing of it goes on, not even `finally`. What it had sent may arrive. */
  #kill(run: Run): void {
    this.log(() => `  ${run.label} dies`);
    run.isAlive = false;
    run.isFaulted = true;
    this.#abandon(run);
    const left = this.#points.filter((point) => point.run === run);
    this.#points = this.#points.filter((point) => point.run !== run);
    for (const point of left) point.onKill?.();
    run.close();
  }

  #abandon(run: Run): void {
    if (run.isAbandoned) return;
    this.log(() => `  the client of ${run.label} is gone`);
    run.isAbandoned = true;
    run.abandon?.();
  }

  /** The next piece of a client's body. */
  async receive<T>(run: Run, label: string, piece: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (!run.isAlive) return await promise;
    const isSlow = this.random.chance(this.#rates.slow);
    const readyAt = this.now + (isSlow ? this.random.below(5 * CALL_MAX_MS) : 0);
    const fire = () => {
      if (run.isAbandoned || this.random.chance(this.#rates.fail)) reject(new BrokenBody("the client is gone"));
      else resolve(piece());
    };
    this.schedule({ run, label, readyAt, dueBy: Infinity, fire });
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

function name(point: Point): string {
  return point.run ? `${point.run.label}: ${point.label}` : point.label;
}
