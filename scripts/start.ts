import { resolve } from "node:path";
import { becomeLean } from "./local/lean.ts";

becomeLean();
const { main } = await import("./local/main.ts");
await main(process.argv.slice(2), resolve(import.meta.dirname, ".."));
