/** What answers queries that change nothing: the database itself, or a session that a replica may serve. */
export type Reader = Pick<D1Database, "prepare" | "batch">;
