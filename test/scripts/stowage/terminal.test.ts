import { describe, expect, test } from "vitest";
import { runAt } from "./support/run.ts";
import { startStandIn } from "./support/stand-in.ts";

const MADE = { createdAt: "2026-06-12T12:00:00Z", createdBy: "account:admin" };
const ALICE = { name: "alice", role: "member", ...MADE };
const CI = {
  ...{ name: "ci", id: "1", grants: [{ repository: "team/*", actions: ["pull"] }], ...MADE, lastUsedAt: null },
  ...{ expiresAt: "2026-09-13T12:00:00Z", token: "stw_secret" },
};

describe("what takes something away asks first", () => {
  const COMMANDS = [
    ["account remove alice", "DELETE /api/accounts/alice", "Remove the account alice?"],
    ["token revoke ci", "DELETE /api/tokens/ci", "Revoke the access token ci?"],
    ["policy revoke team/* --from anyone", "DELETE /api/policy/rules", "Take all in team/* from anyone?"],
    ["trust remove main", "DELETE /api/trust/main", "Remove the trust rule main?"],
    ["retention remove dev", "DELETE /api/retention/dev", "Remove the retention rule dev?"],
    ["repository delete a/b", "DELETE /api/repositories/a/b", "Delete the repository a/b and all that it holds?"],
  ] as const;

  test.each(COMMANDS)("and fails where nobody can answer: stowage %s", async (command, request, question) => {
    const registry = await startStandIn({ [request]: { status: 204 } });
    for (const surroundings of [{}, { terminal: "stderr" }] as const) {
      const { code, stderr } = await runAt(registry, command.split(" "), { ...surroundings, stdin: "y\n" });
      expect(stderr).toBe(`stowage: ${question} There is no terminal to ask on: add --yes\n`);
      expect(code).toBe(2);
    }
    expect(registry.logins).toEqual([]);
  });

  test.each(COMMANDS)("and does it after a yes: stowage %s", async (command, request, question) => {
    const registry = await startStandIn({ [request]: { status: 204 } });
    const { code, stdout, stderr } = await runAt(registry, command.split(" "), { terminal: "all", stdin: "y\n" });
    expect(stderr).toContain(question);
    expect(stdout).toBe("");
    expect(code).toBe(0);
    expect(registry.calls).toHaveLength(1);
  });

  // The last is Ctrl-D.
  test.each(["n\n", "\n", "\u0004\n"])("and leaves it after %j", async (stdin) => {
    const registry = await startStandIn();
    const { code, stderr } = await runAt(registry, ["account", "remove", "alice"], { terminal: "all", stdin });
    expect(stderr).toMatch(/stowage: nothing was changed\n$/);
    expect(code).toBe(1);
    expect(registry.logins).toEqual([]);
  });
});

describe("a password", () => {
  const routes = { "POST /api/accounts": { json: ALICE }, "PUT /api/accounts/alice/password": { json: ALICE } };
  const type = async (verb: string, stdin: string) => {
    const registry = await startStandIn(routes);
    const outcome = await runAt(registry, ["account", verb, "alice"], { terminal: "all", stdin });
    return { ...outcome, sent: registry.calls.map(({ body }) => JSON.parse(body) as unknown) };
  };

  test.each(["add", "password"])("is asked for twice on a terminal, and not shown: account %s", async (verb) => {
    const { code, stdout, stderr, sent } = await type(verb, "secret phrase\nsecret phrase\n");
    expect(stdout + stderr).not.toContain("secret");
    expect(code).toBe(0);
    expect(sent).toMatchObject([{ password: "secret phrase" }]);
  });

  test("that was typed in two ways changes nothing", async () => {
    const { code, stderr, sent } = await type("add", "one\nother\n");
    expect(stderr).toContain("two different passwords");
    expect(code).toBe(1);
    expect(sent).toEqual([]);
  });

  test("that was left empty is made by the registry", async () => {
    const { code, sent } = await type("password", "\n");
    expect(code).toBe(0);
    expect(sent).toEqual([{}]);
  });
});

describe("a secret that is shown once", () => {
  const create = ["token", "create", "ci", "--repository", "team/*", "--actions", "pull"];

  test("is alone on stdout, for a variable to take", async () => {
    const registry = await startStandIn({ "POST /api/tokens": { status: 201, json: CI } });
    const { code, stdout, stderr } = await runAt(registry, create, { terminal: "stderr" });
    expect(stdout).toBe("stw_secret\n");
    expect(stderr).toBe(
      "The access token ci may pull in team/*; it expires 2026-09-13T12:00:00Z. It is not shown again.\n" +
        `Log in with it as the password:  docker login ${registry.host} --username ci\n`,
    );
    expect(code).toBe(0);
  });

  test("comes with the line to log in on a terminal", async () => {
    const registry = await startStandIn({ "POST /api/tokens": { status: 201, json: CI } });
    const { stdout, stderr } = await runAt(registry, create, { terminal: "all" });
    expect(stdout).toBe("stw_secret\n");
    expect(stderr).toContain("it expires in 3 months.");
    expect(stderr).toContain(`docker login ${registry.host} --username ci`);
  });

  test("may be a password that the registry made", async () => {
    const registry = await startStandIn({
      "POST /api/accounts": { status: 201, json: { ...ALICE, password: "made" } },
    });
    const { stdout, stderr } = await runAt(registry, ["account", "add", "alice"]);
    expect(stdout).toBe("made\n");
    expect(stderr).toBe("The password of the new account alice; it is not shown again.\n");
  });
});

test("account add says how to grant something", async () => {
  const registry = await startStandIn({ "POST /api/accounts": { status: 201, json: ALICE } });
  const { stderr } = await runAt(registry, ["account", "add", "alice", "--password-stdin"], {
    ...{ terminal: "stderr", stdin: "secret" },
  });
  expect(stderr).toContain("npx stowage policy grant 'team/*' --to account:alice --actions pull,push");
});

describe("a list", () => {
  const routes = {
    "GET /api/accounts": { json: { accounts: [ALICE, { ...ALICE, name: "\u001b[2Jb" }] } },
    "GET /api/tokens": { json: { tokens: [] } },
  };

  test("is a table with times for people on a terminal, and nothing that moves the cursor", async () => {
    const { stdout } = await runAt(await startStandIn(routes), ["account", "list"], {
      ...{ terminal: "all", env: { NO_COLOR: "1" } },
    });
    expect(stdout).toBe(
      [
        "Name         Role     Created      By",
        "alice        member   3 days ago   account:admin",
        "\\u{1b}[2Jb   member   3 days ago   account:admin\n",
      ].join("\n"),
    );
  });

  test("has times for machines in a pipe", async () => {
    const { stdout } = await runAt(await startStandIn(routes), ["account", "list"]);
    expect(stdout).toContain("alice        member   2026-06-12T12:00:00Z   account:admin\n");
  });

  test.each([
    ["all", {}, true],
    ["all", { NO_COLOR: "1" }, false],
    ["all", { NO_COLOR: "" }, true],
    ["all", { TERM: "dumb" }, false],
    ["stderr", {}, false],
  ] as const)("is coloured on a terminal that wants it: %s, %j", async (terminal, env, isColoured) => {
    const { stdout } = await runAt(await startStandIn(routes), ["account", "list"], { terminal, env });
    expect(stdout.includes("\u001b[1mName")).toBe(isColoured);
  });

  test("that is empty says so to those who watch", async () => {
    const registry = await startStandIn(routes);
    const watched = await runAt(registry, ["token", "list"], { terminal: "all" });
    expect(watched).toEqual({ code: 0, stdout: "", stderr: "There are no access tokens.\n" });
    expect(await runAt(registry, ["token", "list"])).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});
