import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder } from "../support/server.ts";
import { run, type Surroundings } from "./support/run.ts";
import { PASSWORD, type Received, refuse, type StandIn, startStandIn } from "./support/stand-in.ts";

const MESSAGE = "currentPassword must be the password of this account as it is now";

/** Takes a new password of alice from who knows the one before, as the registry does from a member. */
async function startRegistry(): Promise<StandIn> {
  const isRight = ({ body }: Received) =>
    (JSON.parse(body) as { currentPassword?: string }).currentPassword === PASSWORD;
  return await startStandIn({
    "PUT /api/accounts/alice/password": (request) =>
      isRight(request) ? { json: { name: "alice" } } : refuse(403, MESSAGE, undefined, "DENIED"),
  });
}

async function change(registry: StandIn, surroundings: Surroundings, args = ["--password-stdin"]) {
  const env = { STOWAGE_URL: registry.url, ...surroundings.env };
  const outcome = await run(["account", "password", "alice", ...args], { stdin: "a new one\n", ...surroundings, env });
  return { ...outcome, sent: registry.calls.map(({ body }) => JSON.parse(body) as unknown) };
}

/** What `docker login` left in its folder. */
function dockerLogin({ host }: StandIn, entry: object): NodeJS.ProcessEnv {
  const folder = makeFolder();
  writeFileSync(join(folder, "config.json"), JSON.stringify({ auths: { [host]: entry } }));
  return { DOCKER_CONFIG: folder };
}

const own = { STOWAGE_USERNAME: "alice", STOWAGE_PASSWORD: PASSWORD };
const others = { STOWAGE_USERNAME: "bob", STOWAGE_PASSWORD: PASSWORD };
const basic = { auth: Buffer.from(`alice:${PASSWORD}`).toString("base64") };
const identity = { identitytoken: PASSWORD };

test("the password with which the account itself logs in goes with the new one", async () => {
  const registry = await startRegistry();
  const both = { password: "a new one", currentPassword: PASSWORD };
  expect(await change(registry, { env: own })).toEqual({ code: 0, stdout: "", stderr: "", sent: [both] });
  const { code, sent } = await change(registry, { env: dockerLogin(registry, basic) });
  expect(code).toBe(0);
  expect(sent).toEqual([both, both]);
});

test("the password of another account does not", async () => {
  const registry = await startRegistry();
  const { code, sent } = await change(registry, { env: others });
  expect(code).toBe(1);
  expect(sent).toEqual([{ password: "a new one" }]);
});

test("one that is not known is asked for on a terminal, once the registry wants it, and not shown", async () => {
  const registry = await startRegistry();
  const stdin = `another phrase\nanother phrase\n${PASSWORD}\n`;
  const env = dockerLogin(registry, identity);
  const { code, stdout, stderr, sent } = await change(registry, { terminal: "all", stdin, env }, []);
  expect(stderr).toContain("The password of alice until now:");
  expect(stdout + stderr).not.toMatch(/phrase|sesame/);
  expect(sent).toEqual([{ password: "another phrase" }, { password: "another phrase", currentPassword: PASSWORD }]);
  expect(code).toBe(0);
});

test.each([
  ["wrong", "secret\nsecret\nwrong\n", MESSAGE, 2],
  ["left empty", "secret\nsecret\n\n", "nothing was changed", 1],
])("one that is %s changes nothing", async (_, stdin, message, calls) => {
  const registry = await startRegistry();
  const env = dockerLogin(registry, identity);
  const { code, stderr, sent } = await change(registry, { terminal: "all", stdin, env }, []);
  expect(stderr).toContain(`stowage: ${message}`);
  expect(sent).toHaveLength(calls);
  expect(code).toBe(1);
});

test("without a terminal it says what to do", async () => {
  const registry = await startRegistry();
  const { code, stderr } = await change(registry, { env: dockerLogin(registry, identity) });
  expect(stderr).toBe(
    "stowage: alice must give the password until now to change it: set STOWAGE_USERNAME=alice and STOWAGE_PASSWORD to it, " +
      "or change it on a terminal\n",
  );
  expect(code).toBe(1);
});

test("what is denied for another reason is not asked about", async () => {
  const message = "only an admin may set the password of another account";
  const registry = await startStandIn({
    "PUT /api/accounts/alice/password": refuse(403, message, undefined, "DENIED"),
  });
  const stdin = "secret\nsecret\n";
  const { code, stderr } = await change(registry, { terminal: "all", stdin, env: others }, []);
  expect(stderr).toContain(`stowage: ${message}\n`);
  expect(code).toBe(1);
});
