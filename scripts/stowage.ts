#!/usr/bin/env node
import { resolve } from "node:path";
import { PATIENCE } from "./distribution/interruption.ts";
import { ignoreClosedOutput } from "./local/closed-output.ts";
import { main } from "./stowage/main.ts";

ignoreClosedOutput();
process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  folders: [process.cwd(), resolve(import.meta.dirname, "..")],
  now: () => new Date(),
  timeoutMs: 60_000,
  helperTimeoutMs: 10_000,
  patience: PATIENCE,
});
