import type { BindingCall, Statement, Watcher } from "./watched-bindings.ts";

/** What operations cost: the calls that Cloudflare bills, and those that take time. */
export interface Usage {
  /** R2 class A: put, list, and each step of a multipart upload. */
  classA: number;
  /** R2 class B: get, head. */
  classB: number;
  /** R2 calls without a price: delete, abort. */
  free: number;
  /** Bytes that R2 was given to store. */
  bytesWritten: number;
  /** Calls to D1; a batch is one. */
  roundTrips: number;
  statements: number;
  rowsRead: number;
  rowsWritten: number;
  /** Milliseconds in which the database worked, by its own clock: whole ones, so that only a mean of many says something. */
  databaseMs: number;
}

const CLASS_OF = {
  put: "classA",
  list: "classA",
  createMultipartUpload: "classA",
  uploadPart: "classA",
  complete: "classA",
  get: "classB",
  head: "classB",
  delete: "free",
  abort: "free",
} as const;

const NOTHING: Readonly<Usage> = {
  ...{ classA: 0, classB: 0, free: 0, bytesWritten: 0 },
  ...{ roundTrips: 0, statements: 0, rowsRead: 0, rowsWritten: 0, databaseMs: 0 },
};

/** Counts the calls of watched bindings, and keeps the statements that it hears. */
export class Counter {
  #usage: Usage = { ...NOTHING };
  readonly statements: Statement[] = [];

  /** What was used since the last reset. */
  get usage(): Usage {
    return { ...this.#usage };
  }

  reset(): void {
    this.#usage = { ...NOTHING };
  }

  readonly watch: Watcher = async (call, run) => {
    this.#countCall(call);
    const result = await run();
    if (call.binding === "DB") this.#countRows(result);
    else this.#usage.bytesWritten += bytesStored(call.value, result);
    return result;
  };

  /** Counted before it runs: a call that fails is billed too. */
  #countCall(call: BindingCall): void {
    if (call.binding === "BUCKET") {
      this.#usage[CLASS_OF[call.operation]] += 1;
      return;
    }
    this.#usage.roundTrips += 1;
    this.#usage.statements += call.statements.length;
    this.statements.push(...call.statements);
  }

  #countRows(result: unknown): void {
    for (const one of Array.isArray(result) ? (result as unknown[]) : [result]) {
      const meta = (one as Partial<D1Result>).meta;
      this.#usage.rowsRead += meta?.rows_read ?? 0;
      this.#usage.rowsWritten += meta?.rows_written ?? 0;
      this.#usage.databaseMs += meta?.duration ?? 0;
    }
  }
}

/** How many bytes a put or a part stored. R2 tells the size of what it took from a stream, but for a part's. */
function bytesStored(value: unknown, result: unknown): number {
  if (value === undefined) return 0;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength;
  if (result === null) return 0;
  const { size } = result as Partial<R2Object>;
  if (size === undefined) throw new TypeError("the bytes of a part that comes as a stream cannot be counted");
  return size;
}
