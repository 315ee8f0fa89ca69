import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Network } from "./network.ts";
import type { Run } from "./run.ts";

const MIGRATIONS = join(import.meta.dirname, "../../migrations");

/** D1's limits that a statement can meet. */
const LIMITS = { variableNumber: 100, likePatternLength: 50 };

/** The rows that migrations write. */
const BEGINNINGS = [
  "INSERT INTO bucket_audit (id, after_key) VALUES (1, '')",
  "INSERT INTO retention_round (id, after_name, started_at) VALUES (1, NULL, 0)",
];

const withoutParameters = (sql: string): Bound => ({ sql, parameters: [] });

type Row = Record<string, unknown>;

interface Prepared {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

/** What of a D1 result src looks at. */
interface Result {
  readonly success: true;
  readonly results: Row[];
  readonly meta: { readonly changes: number };
}

interface Bound {
  readonly sql: string;
  readonly parameters: readonly SQLInputValue[];
}

/** D1 over an SQLite database in memory. One serves all histories of a thread, each of which finds it empty. */
export class SimulatedD1 {
  readonly #db: DatabaseSync;
  readonly #change: (sql: string) => string;
  readonly #prepared = new Map<string, Prepared>();
  readonly #tables: readonly string[];
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;

  /** @param change what a mutation makes of a statement. */
  constructor(change: (sql: string) => string = (sql) => sql) {
    this.#change = change;
    this.#db = new DatabaseSync(":memory:");
    for (const file of readdirSync(MIGRATIONS).sort()) this.#db.exec(readFileSync(join(MIGRATIONS, file), "utf8"));
    // Those in which an index of texts keeps what it knows are its own business.
    const tables = this.#db.prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
       AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')`,
    );
    // What refers to others was made after them.
    this.#tables = tables
      .all()
      .map(({ name }) => String(name))
      .reverse();
    Object.assign(this.#db.limits, LIMITS);
    this.#begin = this.#db.prepare("BEGIN IMMEDIATE");
    this.#commit = this.#db.prepare("COMMIT");
    this.#rollback = this.#db.prepare("ROLLBACK");
  }

  /** Leaves what migrations leave. */
  clear(): void {
    this.transaction([...this.#tables.map((table) => `DELETE FROM ${table}`), ...BEGINNINGS].map(withoutParameters));
  }

  /** All of the statements, or none. */
  transaction(statements: readonly Bound[]): Result[] {
    const [only, ...others] = statements;
    if (only && others.length === 0) return [this.#execute(only)];
    this.#begin.run();
    try {
      const results = statements.map((statement) => this.#execute(statement));
      this.#commit.run();
      return results;
    } catch (error) {
      this.#rollback.run();
      throw error;
    }
  }

  /** Rows of a query of the simulation's own. */
  query<T>(sql: string, ...parameters: SQLInputValue[]): T[] {
    return this.#prepare(sql).statement.all(...parameters) as T[];
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(this.#change(sql));
    const prepared = { statement, returnsRows: statement.columns().length > 0 };
    this.#prepared.set(sql, prepared);
    return prepared;
  }

  #execute({ sql, parameters }: Bound): Result {
    try {
      const { statement, returnsRows } = this.#prepare(sql);
      if (returnsRows) return { success: true, results: statement.all(...parameters), meta: { changes: 0 } };
      return { success: true, results: [], meta: { changes: Number(statement.run(...parameters).changes) } };
    } catch (error) {
      throw new Error(`D1_ERROR: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  /** The binding as one run has it: each round trip is a call that the scheduler owns. */
  bindingFor(network: Network, run: Run): D1Database {
    const call = async (statements: readonly Bound[]): Promise<Result[]> =>
      await network.call(run, `D1 ${describe(statements)}`, () => this.transaction(statements));
    const binding = {
      prepare: (sql: string) => new SimulatedStatement({ sql, parameters: [] }, call),
      batch: async (statements: SimulatedStatement[]) => await call(statements.map(({ bound }) => bound)),
    };
    return binding as unknown as D1Database;
  }
}

class SimulatedStatement {
  readonly bound: Bound;
  readonly #call: (statements: readonly Bound[]) => Promise<Result[]>;

  constructor(bound: Bound, call: (statements: readonly Bound[]) => Promise<Result[]>) {
    this.bound = bound;
    this.#call = call;
  }

  bind(...values: unknown[]): SimulatedStatement {
    return new SimulatedStatement({ sql: this.bound.sql, parameters: values.map(toParameter) }, this.#call);
  }

  async all(): Promise<Result> {
    const [result] = await this.#call([this.bound]);
    if (!result) throw new Error("no result");
    return result;
  }

  async run(): Promise<Result> {
    return await this.all();
  }

  async first(column?: string): Promise<unknown> {
    const [row] = (await this.all()).results;
    if (row === undefined) return null;
    return column === undefined ? row : row[column];
  }
}

/** D1 takes what JSON knows, and throws for all else. */
function toParameter(value: unknown): SQLInputValue {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  throw new TypeError(`D1_TYPE_ERROR: type ${typeof value} is not supported`);
}

const descriptions = new Map<string, string>();

/** What statements do, in a few words, for traces. */
function describe(statements: readonly Bound[]): string {
  const words = statements.map(({ sql }) => {
    const known = descriptions.get(sql);
    if (known !== undefined) return known;
    const match = /(INSERT INTO|UPDATE|DELETE FROM|SELECT)\s+(?:[^;]*?FROM\s+)?(\w+)/.exec(sql);
    const description = `${(match?.[1] ?? "?").toLowerCase().replace(/ .*/, "")} ${match?.[2] ?? "?"}`;
    descriptions.set(sql, description);
    return description;
  });
  return [...new Set(words)].join(", ");
}
