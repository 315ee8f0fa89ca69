/** Writes the tables of docs/cost.md anew, of what cost/ says: `npm run docs:cost`. A test says when it is time. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fillTables } from "../cost/tables.ts";

const DOCS = join(import.meta.dirname, "../docs/cost.md");

writeFileSync(DOCS, fillTables(readFileSync(DOCS, "utf8")));
