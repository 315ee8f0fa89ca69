/** What Cloudflare bills of an operation, and the round trips, which take time alone. */
export interface Calls {
  /** To the Worker. */
  readonly requests: number;
  /** R2: put, list, and each step of a multipart upload. */
  readonly classA: number;
  /** R2: get, head. */
  readonly classB: number;
  /** To D1; a batch is one. */
  readonly roundTrips: number;
  /** D1; an index's entries count as rows. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

export const NO_CALLS: Calls = { requests: 0, classA: 0, classB: 0, roundTrips: 0, rowsRead: 0, rowsWritten: 0 };

export const CALL_KINDS = Object.keys(NO_CALLS) as (keyof Calls)[];

/** The sum of several. */
export function sum(...all: readonly Calls[]): Calls {
  return all.reduce((one, other) => combine((kind) => one[kind] + other[kind]), NO_CALLS);
}

/** The same so many times. */
export function times(count: number, calls: Calls): Calls {
  return combine((kind) => count * calls[kind]);
}

function combine(of: (kind: keyof Calls) => number): Calls {
  return Object.fromEntries(CALL_KINDS.map((kind) => [kind, of(kind)])) as unknown as Calls;
}
