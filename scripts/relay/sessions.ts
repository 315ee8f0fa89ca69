/** An upload session, as far as the relay has seen it. */
export interface Session {
  /** Up to where the registry has it. */
  received: number;
  /** Of when it was opened, in milliseconds. */
  readonly startedAt: number;
}

/** Of those that were opened last: a client that resumes an older one costs a question more. */
const SESSIONS_MAX = 1_000;

/** The upload sessions that were opened through the relay, by their paths. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  open(path: string, startedAt: number): void {
    this.#sessions.set(path, { received: 0, startedAt });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > SESSIONS_MAX && oldest !== undefined) this.#sessions.delete(oldest);
  }

  find(path: string): Session | undefined {
    return this.#sessions.get(path);
  }

  end(path: string): void {
    this.#sessions.delete(path);
  }
}
