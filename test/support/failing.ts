import type { BindingCall, Watcher } from "./watched-bindings.ts";

/** Whether the failing call has its effect all the same: its answer alone is lost then. */
export type Effect = "none" | "done";

/** What a binding throws that fails on purpose. */
class InjectedFailure extends Error {
  override readonly name = "InjectedFailure";
}

/** Lets every call pass but one, the `index`-th, which fails. */
export class FailOnce {
  readonly #index: number;
  readonly #effect: Effect;
  #count = 0;
  #failed: BindingCall | undefined;

  constructor(index: number, effect: Effect) {
    this.#index = index;
    this.#effect = effect;
  }

  /** The call that failed; undefined as long as there were fewer calls. */
  get failed(): BindingCall | undefined {
    return this.#failed;
  }

  readonly watch: Watcher = async (call, run) => {
    const isDue = this.#count === this.#index;
    this.#count += 1;
    if (!isDue) return await run();
    this.#failed = call;
    if (this.#effect === "done") await run();
    else if (call.binding === "BUCKET" && call.value instanceof ReadableStream) {
      // A call that ends lets go of its body.
      await call.value.cancel(new InjectedFailure("cancelled")).catch(() => undefined);
    }
    throw new InjectedFailure(`${call.operation} failed on purpose`);
  };
}
