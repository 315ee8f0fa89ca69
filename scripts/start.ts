import { resolve } from "node:path";
import { main } from "./local/main.ts";

await main(process.argv.slice(2), resolve(import.meta.dirname, ".."));
