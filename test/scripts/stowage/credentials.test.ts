import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeFolder } from "../support/server.ts";
import { run } from "./support/run.ts";
import { PASSWORD, type StandIn, startStandIn, usernameOf } from "./support/stand-in.ts";

const ROUTES = { "GET /api/accounts": { json: { accounts: [] } } };

function encode(username: string, password = PASSWORD): string {
  return Buffer.from(`${username}:${password}`).toString("base64");
}

/** A folder with Docker's configuration; DOCKER_CONFIG names it. */
function makeDockerConfig(config: unknown): string {
  const folder = makeFolder();
  writeFileSync(join(folder, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return folder;
}

/** A folder for PATH with the helper docker-credential-test, which is this shell script. */
function makeHelper(script: string): string {
  const folder = makeFolder();
  const path = join(folder, "docker-credential-test");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return `${folder}:/usr/bin:/bin`;
}

async function list(registry: StandIn, env: NodeJS.ProcessEnv, folders: readonly string[] = []) {
  return await run(["account", "list", "--registry", registry.url], { env, folders });
}

test("the environment's credentials come before the data folder's, and these before Docker's", async () => {
  const registry = await startStandIn(ROUTES);
  const folder = makeFolder();
  mkdirSync(join(folder, ".stowage"), { mode: 0o700 });
  writeFileSync(join(folder, ".stowage/server.json"), JSON.stringify({ pid: 1, url: registry.url }), { mode: 0o600 });
  writeFileSync(join(folder, ".stowage/secrets.json"), JSON.stringify({ ADMIN_PASSWORD: PASSWORD }));
  const docker = { DOCKER_CONFIG: makeDockerConfig({ auths: { [registry.host]: { auth: encode("docker") } } }) };
  const given = { STOWAGE_USERNAME: "given", STOWAGE_PASSWORD: PASSWORD };

  await list(registry, { ...docker, ...given }, [folder]);
  await list(registry, docker, [folder]);
  await list(registry, docker);
  writeFileSync(join(folder, ".stowage/secrets.json"), JSON.stringify({ TOKEN_SECRET: "x" }));
  await list(registry, docker, [folder]);
  expect(registry.logins.map(usernameOf)).toEqual(["given", "admin", "docker", "docker"]);
});

test("they are exchanged once, for a token of the API", async () => {
  const registry = await startStandIn(ROUTES);
  await list(registry, { STOWAGE_USERNAME: "alice", STOWAGE_PASSWORD: PASSWORD });
  expect(registry.logins.map(({ line }) => line)).toEqual(["GET /token?service=stowage&scope=registry%3Aapi%3A*"]);
  expect(registry.calls.map(({ headers }) => headers.authorization)).toEqual(["Bearer a-token"]);
});

test("the secret of one data folder goes to no other registry", async () => {
  const registry = await startStandIn(ROUTES);
  const folder = makeFolder();
  mkdirSync(join(folder, ".stowage"), { mode: 0o700 });
  writeFileSync(join(folder, ".stowage/server.json"), JSON.stringify({ pid: 1, url: "http://127.0.0.1:1" }), {
    mode: 0o600,
  });
  writeFileSync(join(folder, ".stowage/secrets.json"), JSON.stringify({ ADMIN_PASSWORD: PASSWORD }));
  expect(await list(registry, {}, [folder])).toMatchObject({ code: 1 });
  expect(registry.logins).toEqual([]);
});

test("without any, all three ways are named", async () => {
  const registry = await startStandIn(ROUTES);
  const { code, stderr } = await list(registry, {});
  expect(stderr).toBe(
    `stowage: no credentials for ${registry.host}: set STOWAGE_USERNAME and STOWAGE_PASSWORD, run docker login ` +
      `${registry.host}, or name the data folder of a registry on this machine with --data\n`,
  );
  expect(code).toBe(1);
});

test.each(["STOWAGE_USERNAME", "STOWAGE_PASSWORD"])("%s alone is a mistake", async (name) => {
  const registry = await startStandIn(ROUTES);
  const { code, stderr } = await list(registry, { [name]: "x" });
  expect(stderr).toContain("set both");
  expect(code).toBe(2);
});

test("what the registry refuses is told with where it was found", async () => {
  const registry = await startStandIn(ROUTES);
  const { code, stderr } = await list(registry, { STOWAGE_USERNAME: "alice", STOWAGE_PASSWORD: "wrong" });
  expect(stderr).toBe(
    `stowage: ${registry.host} refuses the credentials of STOWAGE_USERNAME and STOWAGE_PASSWORD: wrong username or password\n`,
  );
  expect(code).toBe(1);
});

describe("Docker's configuration", () => {
  test.each([
    ["the host", (host: string) => ({ auths: { [host]: { auth: encode("d") } } })],
    ["a URL of the host", (host: string) => ({ auths: { [`https://${host}/v1/`]: { auth: encode("d") } } })],
    [
      "an entry beside a store that is not installed",
      (host: string) => ({ credsStore: "gone", auths: { [host]: { auth: encode("d") } } }),
    ],
  ])("may hold a password under %s", async (_, config) => {
    const registry = await startStandIn(ROUTES);
    const outcome = await list(registry, { DOCKER_CONFIG: makeDockerConfig(config(registry.host)) });
    expect(outcome).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(registry.logins.map(usernameOf)).toEqual(["d"]);
  });

  test("may hold an identity token, which is exchanged by its own way", async () => {
    const registry = await startStandIn(ROUTES);
    const config = { auths: { [registry.host]: { auth: encode("d", ""), identitytoken: PASSWORD } } };
    expect(await list(registry, { DOCKER_CONFIG: makeDockerConfig(config) })).toMatchObject({ code: 0 });
    expect(registry.logins.map(({ line }) => line)).toEqual(["POST /token"]);
    expect(Object.fromEntries(new URLSearchParams(registry.logins[0]!.body))).toEqual({
      grant_type: "refresh_token",
      refresh_token: PASSWORD,
      client_id: "stowage",
      service: "stowage",
      scope: "registry:api:*",
    });
  });

  test("an identity token that has expired says so", async () => {
    const registry = await startStandIn(ROUTES);
    const config = { auths: { [registry.host]: { identitytoken: "old" } } };
    const { code, stderr } = await list(registry, { DOCKER_CONFIG: makeDockerConfig(config) });
    expect(stderr).toContain("the log-in has expired");
    expect(code).toBe(1);
  });

  test("is that of the home folder, unless DOCKER_CONFIG names another", async () => {
    const registry = await startStandIn(ROUTES);
    const home = makeFolder();
    mkdirSync(join(home, ".docker"));
    const config = { auths: { [registry.host]: { auth: encode("home") } } };
    writeFileSync(join(home, ".docker/config.json"), JSON.stringify(config));
    expect(await list(registry, { HOME: home })).toMatchObject({ code: 0 });
    expect(await list(registry, { HOME: home, DOCKER_CONFIG: makeFolder() })).toMatchObject({ code: 1 });
  });

  test.each(["not JSON", { auths: 7 }])("that cannot be read is named: %j", async (config) => {
    const registry = await startStandIn(ROUTES);
    const { code, stderr } = await list(registry, { DOCKER_CONFIG: makeDockerConfig(config) });
    expect(stderr).toMatch(/^stowage: cannot read Docker's \S+config.json: /);
    expect(code).toBe(1);
  });
});

describe("a credential helper of Docker's", () => {
  const answer = (username: string) =>
    `read -r host; echo "{\\"ServerURL\\":\\"$host\\",\\"Username\\":\\"${username}\\",\\"Secret\\":\\"${PASSWORD}\\"}"`;

  test("is asked as the store of all hosts, before the file", async () => {
    const registry = await startStandIn(ROUTES);
    const auths = { [registry.host]: { auth: encode("file") } };
    const DOCKER_CONFIG = makeDockerConfig({ credsStore: "test", auths });
    expect(await list(registry, { DOCKER_CONFIG, PATH: makeHelper(answer("helper")) })).toMatchObject({ code: 0 });
    expect(registry.logins.map(usernameOf)).toEqual(["helper"]);
  });

  test("of the host is asked rather than the store", async () => {
    const registry = await startStandIn(ROUTES);
    const DOCKER_CONFIG = makeDockerConfig({ credsStore: "gone", credHelpers: { [registry.host]: "test" } });
    const PATH = makeHelper(`[ "$1" = get ] || exit 1; ${answer("own")}`);
    expect(await list(registry, { DOCKER_CONFIG, PATH })).toMatchObject({ code: 0 });
    expect(registry.logins.map(usernameOf)).toEqual(["own"]);
  });

  test("may give an identity token", async () => {
    const registry = await startStandIn(ROUTES);
    const DOCKER_CONFIG = makeDockerConfig({ credsStore: "test" });
    expect(await list(registry, { DOCKER_CONFIG, PATH: makeHelper(answer("<token>")) })).toMatchObject({ code: 0 });
    expect(registry.logins.map(({ line }) => line)).toEqual(["POST /token"]);
  });

  test.each([
    [
      "knows nothing of the host",
      "echo 'credentials not found in native keychain'; exit 1",
      /^stowage: no credentials for \S+: set/,
    ],
    ["fails", "echo 'the key ring is locked'; exit 1", /\(docker-credential-test failed: the key ring is locked\)/],
    ["fails without a word", "exit 3", /\(docker-credential-test failed: exit code 3\)/],
    ["hangs", "exec sleep 20", /\(docker-credential-test did not answer within 0.3 seconds\)/],
    ["answers something else", "echo hello", /\(docker-credential-test answered something else than credentials\)/],
  ])("that %s is told", async (_, script, message) => {
    const registry = await startStandIn(ROUTES);
    const env = { DOCKER_CONFIG: makeDockerConfig({ credsStore: "test" }), PATH: makeHelper(script) };
    const { code, stderr } = await list(registry, env);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
  });

  test("that is missing is told, and one with a path is not run", async () => {
    const registry = await startStandIn(ROUTES);
    const missing = await list(registry, { DOCKER_CONFIG: makeDockerConfig({ credsStore: "gone" }) });
    expect(missing.stderr).toContain("(docker-credential-gone is not installed)");

    const folder = makeFolder();
    mkdirSync(join(folder, "docker-credential-x"));
    writeFileSync(join(folder, "evil"), `#!/bin/sh\ntouch ${folder}/ran\n`, { mode: 0o755 });
    const env = { DOCKER_CONFIG: makeDockerConfig({ credsStore: "x/../evil" }), PATH: folder };
    expect((await list(registry, env)).stderr).toContain("is no name of a credential helper");
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });
});
