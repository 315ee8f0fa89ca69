import { type BindingCall, watchBindings, type Watcher } from "./watched-bindings.ts";

/**
 * A database whose sessions are served by a replica that hears of nothing more once it is frozen: it gives the answers that it
 * gave before, and none to what it was not asked before.
 */
export class StaleReplica {
  readonly #answers = new Map<string, unknown>();
  #isFrozen = false;
  /** Calls that replicas answered, and those that the database did. */
  readonly calls = { replica: 0, primary: 0 };

  /** The environment, as a Worker has it. */
  bind(env: Env): Env {
    const primary = watchBindings(env, async (call, run) => {
      if (call.binding === "DB") this.calls.primary += 1;
      return await run();
    });
    const replica = watchBindings(env, this.#answer).DB;
    const DB = Object.assign(primary.DB, { withSession: () => replica });
    return { ...primary, DB, READ_REPLICAS: "on", CONTENT_CACHE_TTL: "0s" };
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  readonly #answer: Watcher = async <T>(call: BindingCall, run: () => Promise<T>): Promise<T> => {
    if (call.binding !== "DB") return await run();
    this.calls.replica += 1;
    const key = JSON.stringify(call.statements);
    if (!this.#isFrozen) this.#answers.set(key, await run());
    const nothing = { results: [], success: true, meta: {} };
    const known = this.#answers.get(key) ?? (call.operation === "batch" ? call.statements.map(() => nothing) : nothing);
    return known as T;
  };
}
