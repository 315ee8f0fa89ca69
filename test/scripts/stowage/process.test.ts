import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder } from "../support/server.ts";
import { ROOT, spawnStowage } from "./support/run.ts";
import { PASSWORD, startStandIn } from "./support/stand-in.ts";

test.each([
  [0, [], "", ""],
  [1, ["--registry", "127.0.0.1:1"], "", "stowage: nothing answers on http://127.0.0.1:1: "],
  [2, ["--limit", "none"], "", "stowage: option '--limit <number>' argument 'none' is invalid"],
])("a process ends with exit code %i", async (code, args, stdout, stderr) => {
  const registry = await startStandIn({ "GET /api/audit": { json: { events: [] } } });
  const env = { STOWAGE_URL: registry.url, STOWAGE_USERNAME: "a", STOWAGE_PASSWORD: PASSWORD };
  const outcome = await spawnStowage(["audit", ...args], { env });
  expect(outcome.stderr).toContain(stderr);
  expect(outcome).toMatchObject({ code, stdout });
});

test("a password is piped in, and one that was made piped out", async () => {
  const registry = await startStandIn({
    "POST /api/accounts": ({ body }) => ({ json: { ...(JSON.parse(body) as object), createdAt: "", createdBy: "x" } }),
  });
  const env = { STOWAGE_URL: registry.url, STOWAGE_USERNAME: "a", STOWAGE_PASSWORD: PASSWORD };
  // This stand-in gives back what it got, as if it had made it.
  const { code, stdout } = await spawnStowage(["account", "add", "bob", "--password-stdin"], { env, stdin: "piped\n" });
  expect(stdout).toBe("piped\n");
  expect(code).toBe(0);
});

test("nobody to read the output is no failure", async () => {
  const program = ["sh", "-c", 'exec 3>&1; { "$@"; echo $? >&3; } | true', "sh"];
  const stowage = [process.execPath, join(ROOT, "scripts/stowage.ts"), "--help"];
  const { stdout, stderr } = await spawnStowage(stowage, { program });
  expect(stdout).toBe("0\n");
  expect(stderr).toBe("");
});

test("npx runs it from the checkout, without the network and whichever Node is the system's", async () => {
  const npm = { npm_config_cache: makeFolder(), npm_config_registry: "http://127.0.0.1:1", npm_config_offline: "true" };
  const outcome = await spawnStowage(["audit", "--limit", "none"], { env: npm, program: ["npx", "stowage"] });
  expect(outcome).toMatchObject({ code: 2, stdout: "" });
  expect(outcome.stderr).toContain("stowage: option '--limit <number>'");
});
