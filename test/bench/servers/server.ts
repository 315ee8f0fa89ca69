import type { ServerName } from "../report/results.ts";

/** What a client sends with each request. */
export type Headers = Readonly<Record<string, string>>;

/** A server under measurement, in processes of its own, with its data in a folder of its own. */
export interface BenchServer {
  readonly name: ServerName;
  /** Without a path. */
  readonly url: string;
  /** The process whose tree is the whole server. */
  readonly pid: number;
  /** For programs that log in by themselves, where the server wants that. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** The headers by which a client may pull from and push to the repository for the next minutes. */
  readonly authorize: (repository: string) => Promise<Headers>;
  /** Ends it and deletes its data. */
  readonly stop: () => Promise<void>;
}

/** A server that may take part. */
export interface Contender {
  readonly name: ServerName;
  readonly title: string;
  /** Why it cannot take part; undefined where it can. */
  readonly missing: () => string | undefined;
  readonly version: () => Promise<string>;
  /** Starts it with no data. */
  readonly start: () => Promise<BenchServer>;
}
