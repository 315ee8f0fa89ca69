import { type AddressInfo, createServer, type Server } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { explainSilence } from "../../../scripts/stowage/http.ts";
import { runAt } from "./support/run.ts";
import { refuse, type StandInAnswer, startStandIn } from "./support/stand-in.ts";

const PAGE = "<html><body><h1>Welcome</h1></body></html>";

describe("what the registry refuses is shown as it says it", () => {
  test.each<[string, StandInAnswer, string]>([
    ["a name in use", refuse(409, "alice exists: choose another name"), "alice exists: choose another name"],
    ["no permission", refuse(403, "only an admin may do this"), "only an admin may do this"],
    ["wrong parts", refuse(400, "invalid", [{ path: "name", message: "too long" }]), "invalid; name: too long"],
    [
      "too many requests",
      { ...refuse(429, "too many requests"), headers: { "Retry-After": "30" } },
      "too many requests; try again in 30 seconds",
    ],
    ["control characters", refuse(400, "no \u001b[2J\u202e"), "no \\u{1b}[2J\\u{202e}"],
  ])("%s", async (_, answer, message) => {
    const registry = await startStandIn({ "GET /api/accounts": answer });
    for (const json of [[], ["--json"]]) {
      const outcome = await runAt(registry, ["account", "list", ...json]);
      expect(outcome).toEqual({ code: 1, stdout: "", stderr: `stowage: ${message}\n` });
    }
  });
});

describe("what no registry says", () => {
  test.each<[string, StandInAnswer, string]>([
    ["a page", { text: PAGE }, "with 200 OK (text/html): it is no Stowage registry"],
    ["an error's page", { status: 404, text: PAGE }, "with 404 Not Found (text/html): it is no Stowage registry"],
    ["a proxy's page", { status: 502, text: PAGE }, "with 502 Bad Gateway (text/html): it, or a proxy before it"],
    ["an error of others' form", { status: 418, json: { oops: true } }, "it is no Stowage registry"],
    ["nothing", { status: 204 }, "it is no Stowage registry"],
    [
      "another form",
      { json: { accounts: [{ name: "a", role: 7, createdAt: "", createdBy: "" }] } },
      "in another form than expected (accounts.0.role: ",
    ],
    ["another list", { json: { people: [] } }, "in another form than expected (accounts: "],
    [
      "a redirection",
      { status: 301, headers: { Location: "https://elsewhere.example.org/" } },
      "on to https://elsewhere.example.org/: give the address that answers with --registry",
    ],
  ])("%s: one line", async (_, answer, message) => {
    const registry = await startStandIn({ "GET /api/accounts": answer });
    const { code, stdout, stderr } = await runAt(registry, ["account", "list"]);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^stowage: .*\n$/);
    expect(stdout).toBe("");
    expect(code).toBe(1);
  });

  test("an unknown field is none of our business, and passed on", async () => {
    const account = { name: "a", role: "member", createdAt: "2026-01-01T00:00:00Z", createdBy: "b", shoe: 43 };
    const registry = await startStandIn({ "GET /api/accounts": { json: { accounts: [account] } } });
    const { stdout } = await runAt(registry, ["account", "list", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ accounts: [account] });
  });
});

describe("nothing that moves the cursor or turns the writing round is shown of a hostile registry", () => {
  const HOSTILE = "\u001b[2J\u007f\u009b1m\u202e\u2028\u{e0001}";
  const ESCAPED = "\\u001b[2J\\u007f\\u009b1m\\u202e\\u2028\\udb40\\udc01";
  // All but the ends of lines.
  const UNSAFE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
  const TRUST = {
    ...{ name: "a", issuer: "i", audience: "a", repositories: [], actions: [], hasKeys: false },
    ...{ createdAt: "", createdBy: null },
  };
  const TOKEN = {
    ...{ name: "ci", id: "1", grants: [], createdAt: "", createdBy: null, expiresAt: null, lastUsedAt: null },
  };

  test("of a list as JSON", async () => {
    const account = { name: HOSTILE, role: "member", createdAt: "", createdBy: "", [HOSTILE]: 1 };
    const registry = await startStandIn({ "GET /api/accounts": { json: { accounts: [account] } } });
    const { stdout } = await runAt(registry, ["account", "list", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ accounts: [account] });
    expect(stdout).not.toMatch(UNSAFE);
    expect(stdout).toContain(ESCAPED);
  });

  test("of a key, where the answer is of another form", async () => {
    const json = { rules: [{ ...TRUST, claims: { [HOSTILE]: 7 } }] };
    const registry = await startStandIn({ "GET /api/trust": { json } });
    const { code, stderr } = await runAt(registry, ["trust", "list"]);
    expect(stderr).toContain("(rules.0.claims.\\u{1b}[2J");
    expect(stderr).not.toMatch(UNSAFE);
    expect(code).toBe(1);
  });

  test.each([HOSTILE, "stw_\u009b2J", "stw_1\nstw_2", "stw_é", ""])("of a secret that is none: %j", async (secret) => {
    const registry = await startStandIn({
      "POST /api/tokens": { json: { ...TOKEN, token: secret } },
      "POST /api/accounts": { json: { ...TOKEN, role: "member", password: secret } },
      "PUT /api/accounts/a/password": { json: { name: "a", password: secret } },
    });
    const create = ["token", "create", "ci", "--repository", "r", "--actions", "pull"];
    for (const args of [create, ["account", "add", "a"], ["account", "password", "a"]]) {
      const { code, stdout, stderr } = await runAt(registry, args);
      expect(stderr).toMatch(/^stowage: what the registry made .* --json shows it\n$/);
      expect(stderr).not.toMatch(UNSAFE);
      expect(stdout).toBe("");
      expect(code).toBe(1);
      const asJson = await runAt(registry, [...args, "--json"]);
      expect(JSON.parse(asJson.stdout)).toMatchObject(args === create ? { token: secret } : { password: secret });
      expect(asJson.stdout).not.toMatch(UNSAFE);
    }
  });
});

describe("silence", () => {
  async function listen(server: Server): Promise<string> {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function ask(address: string, timeoutMs = 5_000) {
    const registry = await startStandIn();
    return await runAt(registry, ["account", "list", "--registry", address], { timeoutMs });
  }

  test("of nobody there", async () => {
    const server = createServer();
    const address = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const { code, stderr } = await ask(address);
    expect(stderr).toBe(`stowage: nothing answers on http://${address}: start the registry, or check the address\n`);
    expect(code).toBe(1);
  });

  test("of one who takes his time", async () => {
    const address = await listen(createServer((socket) => onTestFinished(() => void socket.destroy())));
    const { stderr } = await ask(address, 150);
    expect(stderr).toBe(
      `stowage: http://${address} did not answer within 0.15 seconds: try again, or check the address\n`,
    );
  });

  test("of one who hangs up", async () => {
    const address = await listen(createServer((socket) => void socket.destroy()));
    expect((await ask(address)).stderr).toBe(`stowage: http://${address} broke the connection off: try again\n`);
  });

  test("of one who speaks no TLS", async () => {
    const address = await listen(createServer((socket) => void socket.end("HTTP/1.0 400 Bad Request\r\n\r\n")));
    expect((await ask(`https://${address}`)).stderr).toMatch(/does not speak TLS/);
  });

  test.each([
    ["ENOTFOUND", "no host registry.example.org is known: check the address"],
    ["EAI_AGAIN", "no host registry.example.org is known: check the address"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "the certificate of registry.example.org cannot be trusted: the reason"],
    ["CERT_HAS_EXPIRED", "the certificate of registry.example.org cannot be trusted: the reason"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "the certificate of registry.example.org cannot be trusted: the reason"],
    ["EHOSTUNREACH", "cannot reach https://registry.example.org: the reason"],
  ])("by %s", (code, line) => {
    const error = Object.assign(new Error("the reason"), { code });
    expect(explainSilence(error, new URL("https://registry.example.org"))).toContain(line);
  });
});

describe("pages", () => {
  const account = (name: string) => ({ name, role: "member", createdAt: "2026-01-01T00:00:00Z", createdBy: "admin" });
  const event = (id: number) => ({
    ...{ id: String(id), occurredAt: "2026-01-01T00:00:00Z", actor: "account:a", credential: "password" },
    ...{ action: "tag.moved", repository: "r", tag: "t", digest: null, detail: null },
  });

  test("are joined to one document", async () => {
    const registry = await startStandIn({
      "GET /api/accounts": {
        json: { accounts: [account("a"), account("b")] },
        headers: { Link: '</api/accounts?n=2&last=b>; rel="next"' },
      },
      "GET /api/accounts?n=2&last=b": { json: { accounts: [account("c")] } },
    });
    const { stdout } = await runAt(registry, ["account", "list", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ accounts: [account("a"), account("b"), account("c")] });
    expect(registry.logins).toHaveLength(1);
  });

  test("are read only as far as --limit wants", async () => {
    const next = { headers: { Link: '</api/audit?n=3&last=2>; rel="next"' } };
    const registry = await startStandIn({
      "GET /api/audit?n=3": { json: { events: [event(1), event(2)] }, ...next },
      "GET /api/audit?n=3&last=2": { json: { events: [event(3), event(4)] }, ...next },
    });
    const { stdout } = await runAt(registry, ["audit", "--limit", "3", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ events: [event(1), event(2), event(3)] });
    expect(registry.calls).toHaveLength(2);
  });

  test.each([
    ['<https://elsewhere.example.org/api/accounts?last=a>; rel="next"', "lies elsewhere"],
    ['</api/accounts>; rel="next"', "go in circles"],
  ])("that lead astray are not followed: %s", async (link, message) => {
    const registry = await startStandIn({
      "GET /api/accounts": { json: { accounts: [account("a")] }, headers: { Link: link } },
    });
    const { code, stderr } = await runAt(registry, ["account", "list"]);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });
});
