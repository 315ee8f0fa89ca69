import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { announce } from "../../../scripts/local/announcement.ts";
import { findRegistry, parseAddress } from "../../../scripts/stowage/registry.ts";
import { makeFolder } from "../support/server.ts";
import { run } from "./support/run.ts";
import { PASSWORD, startStandIn, usernameOf } from "./support/stand-in.ts";

const EMPTY_LIST = { "GET /api/accounts": { json: { accounts: [] } } };

/** A data folder as `npm start` leaves it. */
function makeData(url: string, secrets: Record<string, string> = { ADMIN_PASSWORD: PASSWORD }): string {
  const folder = makeFolder();
  const data = join(folder, ".stowage");
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(join(data, "server.json"), JSON.stringify({ pid: 1, url }), { mode: 0o600 });
  writeFileSync(join(data, "secrets.json"), JSON.stringify(secrets));
  return folder;
}

describe("an address", () => {
  test.each([
    ["registry.example.org", "https://registry.example.org/"],
    ["registry.example.org:5000", "https://registry.example.org:5000/"],
    ["https://registry.example.org/", "https://registry.example.org/"],
    ["HTTPS://Registry.Example.org", "https://registry.example.org/"],
    ["localhost:8787", "http://localhost:8787/"],
    ["127.0.0.1:8787", "http://127.0.0.1:8787/"],
    ["127.1:8787", "http://127.0.0.1:8787/"],
    ["[::1]:8787", "http://[::1]:8787/"],
    ["http://localhost:8787", "http://localhost:8787/"],
    ["https://localhost:8443", "https://localhost:8443/"],
    ["192.0.2.1:5000", "https://192.0.2.1:5000/"],
  ])("%s is %s", (text, url) => {
    expect(parseAddress(text).href).toBe(url);
  });

  test.each([
    ["http://registry.example.org", "over plain http"],
    ["http://192.0.2.1:5000", "use https://192.0.2.1:5000"],
    ["http://localhost.example.org", "over plain http"],
    ["http://127.0.0.1.example.org", "over plain http"],
    ["https://me:secret@registry.example.org", "holds no password"],
    ["https://registry.example.org/v2/", "has a path"],
    ["ftp://registry.example.org", "is not the address"],
    ["", "is not the address"],
    ["two words", "is not the address"],
  ])("%s is refused", async (text, reason) => {
    const { code, stderr } = await run(["account", "list", "--registry", text]);
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain("secret");
    expect(code).toBe(2);
  });
});

describe("the registry is found", () => {
  test("by --registry before --data before STOWAGE_URL before the folder of npm start", () => {
    const near = makeData("http://127.0.0.1:1001");
    const far = makeData("http://127.0.0.1:1002");
    const other = join(makeData("http://127.0.0.1:1003"), ".stowage");
    const find = (options: { registry?: string; data?: string }, env: NodeJS.ProcessEnv = {}) => {
      const rest = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, now: () => new Date() };
      const patience = { tries: 1, firstMs: 1, mostMs: 1 };
      const limits = { timeoutMs: 1, helperTimeoutMs: 1, patience };
      return findRegistry(options, { env, folders: [near, far], ...limits, ...rest }).url.port;
    };
    const env = { STOWAGE_URL: "localhost:1004" };
    expect(find({ registry: "localhost:1005", data: other }, env)).toBe("1005");
    expect(find({ data: other }, env)).toBe("1003");
    expect(find({}, env)).toBe("1004");
    expect(find({}, { STOWAGE_URL: "" })).toBe("1001");
  });

  test("in the checkout's data folder, with the admin's secret, when nothing is named", async () => {
    const registry = await startStandIn(EMPTY_LIST);
    const outcome = await run(["account", "list"], { folders: [makeFolder(), makeData(registry.url)] });
    expect(outcome).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(registry.logins.map(usernameOf)).toEqual(["admin"]);
  });

  test("where it listens on all addresses, and by another name of the loopback", async () => {
    const registry = await startStandIn(EMPTY_LIST);
    const port = new URL(registry.url).port;
    for (const announced of [`http://0.0.0.0:${port}`, `http://localhost:${port}`]) {
      const data = join(makeData(announced), ".stowage");
      expect(await run(["account", "list", "--data", data, "--registry", registry.host])).toMatchObject({ code: 0 });
      expect(await run(["account", "list", "--data", data])).toMatchObject({ code: 0 });
    }
  });

  test.each([
    [[], "no registry is named"],
    [["--data", "/nowhere"], "no registry runs on /nowhere: start it with npm start -- --data /nowhere"],
  ])("or not, which says what to do: %j", async (args, message) => {
    const { code, stderr } = await run(["account", "list", ...args], { folders: [makeFolder()] });
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });

  test("a data folder that names another machine is not believed", async () => {
    for (const url of ["http://registry.example.org:8787", "https://registry.example.org", "nonsense"]) {
      const { code, stderr } = await run(["account", "list"], { folders: [makeData(url)] });
      expect(stderr).toMatch(/over plain http|no registry is named/);
      expect(code).not.toBe(0);
    }
  });
});

describe("a data folder that others have a hand in is not believed, and gets no credentials", () => {
  const CASES: [string, (data: string) => void, string][] = [
    ["a folder that the group may write", (data) => chmodSync(data, 0o770), "may be written by others"],
    ["a folder that all may write", (data) => chmodSync(data, 0o707), "may be written by others"],
    [
      "a file that the group may write",
      (data) => chmodSync(join(data, "server.json"), 0o620),
      "may be written by others",
    ],
    ["a file that all may write", (data) => chmodSync(join(data, "server.json"), 0o602), "may be written by others"],
  ];
  // Nobody else can give files away.
  if (process.getuid?.() === 0) {
    CASES.push(
      ["another's folder", (data) => chownSync(data, 65_534, 65_534), "belongs to another user"],
      ["another's file", (data) => chownSync(join(data, "server.json"), 65_534, 65_534), "belongs to another user"],
    );
  }

  test.each(CASES)("%s", async (_, meddle, reason) => {
    const registry = await startStandIn(EMPTY_LIST);
    const folder = makeData(registry.url);
    const data = join(folder, ".stowage");
    meddle(data);
    const env = { STOWAGE_USERNAME: "alice", STOWAGE_PASSWORD: PASSWORD };
    for (const args of [[], ["--data", data]]) {
      const { code, stderr } = await run(["account", "list", ...args], { folders: [folder], env });
      expect(stderr).toMatch(new RegExp(`^stowage: no registry .*${data}\\S* ${reason}.*\n$`));
      expect(code).toBe(1);
    }
    // Its secret is no help either.
    const named = await run(["account", "list", "--registry", registry.url], { folders: [folder] });
    expect(named.stderr).toContain("no credentials for");
    expect(registry.logins).toEqual([]);
  });

  test("and one of the user's own after it is", async () => {
    const registry = await startStandIn(EMPTY_LIST);
    const doubtful = makeData("http://127.0.0.1:1");
    chmodSync(join(doubtful, ".stowage"), 0o777);
    const folders = [doubtful, makeData(registry.url)];
    expect(await run(["account", "list"], { folders })).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("but a way to one's own is fine", async () => {
    const registry = await startStandIn(EMPTY_LIST);
    const folder = makeFolder();
    symlinkSync(join(makeData(registry.url), ".stowage"), join(folder, ".stowage"));
    expect(await run(["account", "list"], { folders: [folder] })).toMatchObject({ code: 0 });
  });

  test("nor is a pipe waited for", async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, ".stowage"), { mode: 0o700 });
    execFileSync("sh", ["-c", 'mkfifo -m 600 "$0"', join(folder, ".stowage/server.json")]);
    expect(await run(["account", "list"], { folders: [folder] })).toMatchObject({ code: 1 });
  });

  test("npm start leaves its file to its owner, whatever the umask, and even one that a killed server left", () => {
    const data = join(makeData("http://127.0.0.1:1"), ".stowage");
    chmodSync(join(data, "server.json"), 0o666);
    const umask = process.umask(0);
    try {
      announce(data, "http://127.0.0.1:2");
    } finally {
      process.umask(umask);
    }
    expect(statSync(join(data, "server.json")).mode & 0o777).toBe(0o600);
  });
});
