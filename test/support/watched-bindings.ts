import type { Reader } from "../../src/metadata/reader.ts";

/** A statement with what was bound to it. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** One call to D1 that costs a round trip. */
interface DatabaseCall {
  readonly binding: "DB";
  readonly operation: "first" | "all" | "run" | "raw" | "exec" | "batch";
  readonly statements: readonly Statement[];
}

/** One call to R2. */
interface BucketCall {
  readonly binding: "BUCKET";
  readonly operation:
    ("put" | "list" | "createMultipartUpload" | "uploadPart" | "complete") | ("get" | "head") | ("delete" | "abort");
  /** What a put or a part holds. */
  readonly value?: unknown;
}

export type BindingCall = DatabaseCall | BucketCall;

/**
 * Hears of each call and runs it, or not: it may count, fail before, or fail after. What it throws is what the caller of
 * the binding gets.
 */
export type Watcher = <T>(call: BindingCall, run: () => Promise<T>) => Promise<T>;

/** A prepared statement, bound or not, that tells the watcher of its calls. */
class WatchedStatement {
  readonly #inner: D1PreparedStatement;
  readonly #watch: Watcher;
  readonly statement: Statement;

  constructor(inner: D1PreparedStatement, watch: Watcher, statement: Statement) {
    this.#inner = inner;
    this.#watch = watch;
    this.statement = statement;
  }

  /** The statement itself, for a batch: only D1's own go into one. */
  get inner(): D1PreparedStatement {
    return this.#inner;
  }

  bind(...parameters: unknown[]): WatchedStatement {
    return new WatchedStatement(this.#inner.bind(...parameters), this.#watch, { ...this.statement, parameters });
  }

  /** Through `all`, which is the same call but tells what it cost. */
  async first<T = Record<string, unknown>>(column?: string): Promise<T | null> {
    const { results } = await this.#call("first", async () => await this.#inner.all());
    const row = results[0];
    if (row === undefined) return null;
    return (column === undefined ? row : row[column]) as T;
  }

  async all<T>(): Promise<D1Result<T>> {
    return await this.#call("all", async () => await this.#inner.all<T>());
  }

  async run<T>(): Promise<D1Result<T>> {
    return await this.#call("run", async () => await this.#inner.run<T>());
  }

  async raw(options?: { columnNames?: false }): Promise<unknown[]> {
    return await this.#call("raw", async () => await this.#inner.raw(options));
  }

  async #call<T>(operation: DatabaseCall["operation"], run: () => Promise<T>): Promise<T> {
    return await this.#watch({ binding: "DB", operation, statements: [this.statement] }, run);
  }
}

/** A database, or a session of one, whose every round trip the watcher hears of. */
function watchReader(db: Reader, watch: Watcher): Reader {
  return {
    prepare: (sql) =>
      new WatchedStatement(db.prepare(sql), watch, { sql, parameters: [] }) as unknown as D1PreparedStatement,
    batch: async <T>(statements: D1PreparedStatement[]) => {
      const own = statements as unknown as WatchedStatement[];
      const call = { binding: "DB", operation: "batch", statements: own.map(({ statement }) => statement) } as const;
      return await watch(call, async () => await db.batch<T>(own.map(({ inner }) => inner)));
    },
  };
}

/** A database whose every round trip the watcher hears of. */
function watchDatabase(db: D1Database, watch: Watcher): D1Database {
  const watched: Pick<D1Database, "prepare" | "batch" | "exec" | "withSession"> = {
    ...watchReader(db, watch),
    withSession: (constraint) => watchReader(db.withSession(constraint), watch) as D1DatabaseSession,
    exec: async (sql) => {
      const statements = [{ sql, parameters: [] }];
      return await watch({ binding: "DB", operation: "exec", statements }, async () => await db.exec(sql));
    },
  };
  return watched as D1Database;
}

function watchUpload(upload: R2MultipartUpload, watch: Watcher): R2MultipartUpload {
  return {
    key: upload.key,
    uploadId: upload.uploadId,
    uploadPart: async (number, value, options) =>
      await watch(
        { binding: "BUCKET", operation: "uploadPart", value },
        async () => await upload.uploadPart(number, value, options),
      ),
    complete: async (parts) =>
      await watch({ binding: "BUCKET", operation: "complete" }, async () => await upload.complete(parts)),
    abort: async () => await watch({ binding: "BUCKET", operation: "abort" }, async () => await upload.abort()),
  };
}

/** A bucket whose every call the watcher hears of. */
function watchBucket(bucket: R2Bucket, watch: Watcher): R2Bucket {
  const call = async <T>(operation: BucketCall["operation"], run: () => Promise<T>, value?: unknown): Promise<T> =>
    await watch({ binding: "BUCKET", operation, value }, run);
  const watched = {
    head: async (key: string) => await call("head", async () => await bucket.head(key)),
    get: async (key: string, options?: R2GetOptions) => await call("get", async () => await bucket.get(key, options)),
    put: async (key: string, value: Uint8Array, options?: R2PutOptions) =>
      await call("put", async () => await bucket.put(key, value, options), value),
    delete: async (keys: string | string[]) => await call("delete", async () => await bucket.delete(keys)),
    list: async (options?: R2ListOptions) => await call("list", async () => await bucket.list(options)),
    createMultipartUpload: async (key: string, options?: R2MultipartOptions) => {
      const create = async () => await bucket.createMultipartUpload(key, options);
      return watchUpload(await call("createMultipartUpload", create), watch);
    },
    resumeMultipartUpload: (key: string, id: string) => watchUpload(bucket.resumeMultipartUpload(key, id), watch),
  };
  return watched;
}

/** The Worker's bindings, watched. */
export function watchBindings<E extends { readonly DB: D1Database; readonly BUCKET: R2Bucket }>(
  env: E,
  watch: Watcher,
): E {
  return { ...env, DB: watchDatabase(env.DB, watch), BUCKET: watchBucket(env.BUCKET, watch) };
}
