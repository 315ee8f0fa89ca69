import type { OciError } from "../../src/oci/error.ts";

/** What a call of a binding throws that fails on purpose. Its caller cannot know whether it had its effect. */
export class InjectedFailure extends Error {
  override readonly name = "InjectedFailure";
}

/** A client's body that ended before its time. */
export class BrokenBody extends Error {
  override readonly name = "BrokenBody";
}

/** What a client learns of its request. `lost`: nothing; its effects may be there, or come until the run has settled. */
export type Answer<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "refused"; readonly error: OciError }
  | { readonly kind: "lost"; readonly run: Run };

/** One request, or one run of the schedule, as one Worker handles it: it dies alone. */
export class Run {
  readonly id: number;
  readonly label: string;
  /** Some histories let the run with the highest priority go first. */
  readonly priority: number;
  isAlive = true;
  /** Its client waits no more: its body breaks off, and it goes on. */
  isAbandoned = false;
  /** A call failed, or it died: what it made may be left behind. */
  isFaulted = false;
  /** Tells its client that nothing will be heard. */
  abandon: (() => void) | undefined;
  #open = 1;
  readonly #onSettled: (() => void)[] = [];

  constructor(id: number, label: string, priority: number) {
    this.id = id;
    this.label = label;
    this.priority = priority;
  }

  /** One more call on its way, whose effect may come even if nobody waits for it. */
  open(): void {
    this.#open += 1;
  }

  /** A call, or the run itself, has ended. */
  close(): void {
    this.#open -= 1;
    if (this.#open === 0) for (const tell of this.#onSettled.splice(0)) tell();
  }

  /** When nothing of it can have an effect any more; at once if that is so already. */
  whenSettled(tell: () => void): void {
    if (this.#open === 0) tell();
    else this.#onSettled.push(tell);
  }
}
