import type { Random } from "./random.ts";
import type { Run } from "./run.ts";

/** By how much the clock goes on at most while something could be done. */
const LEAP_MAX_MS = 110_000;

/** Far more than a history takes: one that passes it would never end. */
const STEPS_MAX = 20_000;

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

  constructor(random: Random, style: Style, trace: ((line: string) => void) | undefined) {
    this.random = random;
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

  /** Takes away all that waits of a run that died. */
  takeAll(run: Run): readonly Point[] {
    const left = this.#points.filter((point) => point.run === run);
    this.#points = this.#points.filter((point) => point.run !== run);
    return left;
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
    const step = this.random.chance(0.05) ? this.random.below(LEAP_MAX_MS) : this.random.below(500);
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
}

function name(point: Point): string {
  return point.run ? `${point.run.label}: ${point.label}` : point.label;
}
