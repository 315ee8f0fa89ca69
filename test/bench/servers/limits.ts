import { join } from "node:path";
import { readProject } from "../../../scripts/local/project.ts";
import { startRegistry } from "../../e2e/support/server.ts";
import type { Contender } from "./server.ts";

const PROJECT = join(import.meta.dirname, "limits");
const PROGRAM = ["test/scripts/fixtures/start.ts", PROJECT];

/** What the runtime can do at most: a Worker that does nothing else, served by the same local server. */
export const limits: Contender = {
  name: "limit",
  title: "limit of the runtime",
  missing: () => undefined,
  version: () => Promise.resolve(`workerd, ${readProject(PROJECT).compatibilityDate}`),
  start: async () => {
    const { url, pid, stop } = await startRegistry({}, PROGRAM);
    return { name: "limit", url, pid, authorize: () => Promise.resolve({}), stop };
  },
};
