import type { Context } from "../context.ts";
import { readUsage, type Usage } from "../metadata/usage.ts";

export type { Usage } from "../metadata/usage.ts";

/** What is stored now, and costs space. One D1 query of one row, however much that is. */
export async function measureUsage({ db }: Context): Promise<Usage> {
  return await readUsage(db);
}
