import type { ServerName } from "../report/results.ts";

/** What a client sends with each request. */
export type Headers = Readonly<Record<string, string>>;

/** What a client's token is for. A client that pulls asks for no more, and so do docker and all others. */
export type Actions = "pull" | "pull,push";

/** A server under measurement, in processes of its own, with its data in a folder of its own. */
export interface BenchServer {
  readonly name: ServerName;
  /** Without a path. */
  readonly url: string;
  /** The process whose tree is the whole server. */
  readonly pid: number;
  /** For programs that log in by themselves, where the server wants that. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** The headers by which a client may do so much with the repository for the next minutes. */
  readonly authorize: (repository: string, actions: Actions) => Promise<Headers>;
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
