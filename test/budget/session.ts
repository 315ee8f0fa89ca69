import { expect } from "vitest";
import type { CountedRegistry, Measured, Sent } from "../support/counted-registry.ts";
import type { Usage } from "../support/counting.ts";

/** What each step of a session of every operation cost, by the step's name. */
export type Costs = Map<string, Usage>;

/** Does one thing after the other, and notes what each cost. */
export class Session {
  readonly costs: Costs = new Map();
  readonly #registry: CountedRegistry;

  constructor(registry: CountedRegistry) {
    this.#registry = registry;
  }

  note(name: string, usage: Usage): void {
    this.costs.set(name, usage);
  }

  /** One request, which must have this status. */
  async step(name: string, status: number, method: string, path: string, sent?: Sent): Promise<Measured> {
    return this.noteAll(name, status, [await this.#registry.send(method, path, sent)]);
  }

  /** Requests of which the last must have this status. */
  noteAll(name: string, status: number, measured: readonly Measured[]): Measured {
    measured.forEach(({ usage }, i) => {
      this.note(`${name}, request ${i + 1}`, usage);
    });
    const last = measured.at(-1)!;
    expect(last.status, `${name}: ${new TextDecoder().decode(last.bytes.subarray(0, 500))}`).toBe(status);
    return last;
  }
}
