import { limits } from "./limits.ts";
import { programs } from "./programs.ts";
import type { Contender } from "./server.ts";
import { stowage } from "./stowage.ts";

/** All that may take part, in the order of the tables. */
export const CONTENDERS: readonly Contender[] = [stowage, ...programs, limits];
