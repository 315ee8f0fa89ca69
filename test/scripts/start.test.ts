import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeFolder, startFixture, startStowage } from "./support/server.ts";

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

function readSecrets(data: string): Record<string, string> {
  return JSON.parse(readFileSync(join(data, "secrets.json"), "utf8")) as Record<string, string>;
}

describe("npm start", () => {
  test("starts this repository's Worker and says so on the last line", async () => {
    const server = startStowage(["--port", "0", "--data", join(makeFolder(), "data")]);
    const url = await server.ready();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(server.stdout().endsWith(`\nStowage is ready on ${url}\n`)).toBe(true);
    expect((await fetch(`${url}/v2/`)).status).toBeLessThan(500);
    const page = await fetch(`${url}/r/team/app`);
    expect([page.status, page.headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
    const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text()) ?? [];
    expect((await fetch(`${url}${script}`)).headers.get("Cache-Control")).toContain("immutable");
    expect(await server.kill("SIGTERM")).toBe(0);
    expect(server.stderr()).toBe("");
  });

  test("makes secrets at the first run and shows the password this once", async () => {
    const data = join(makeFolder(), "deep/data");
    const first = startFixture(["--port", "0", "--data", data]);
    const url = await first.ready();
    const secrets = readSecrets(data);
    expect(secrets.ADMIN_PASSWORD).toMatch(/^[a-km-z2-9]{24}$/);
    expect(Buffer.from(secrets.TOKEN_SECRET!, "base64")).toHaveLength(32);
    expect(modeOf(join(data, "secrets.json"))).toBe(0o600);
    expect(modeOf(data)).toBe(0o700);
    expect(first.stdout()).toContain(secrets.ADMIN_PASSWORD);
    expect(first.stdout()).toContain(`docker login ${new URL(url).host} --username admin`);
    expect(await (await fetch(`${url}/password`)).text()).toBe(secrets.ADMIN_PASSWORD);
    expect(await first.kill("SIGINT")).toBe(0);

    const second = startFixture(["--port", "0", "--data", data, "--var", "GREETING:good:day"]);
    expect(await (await fetch(`${await second.ready()}/greeting`)).text()).toBe("good:day");
    expect(readSecrets(data)).toEqual(secrets);
    expect(second.stdout()).not.toContain(secrets.ADMIN_PASSWORD);
    expect(second.stdout()).toContain(join(data, "secrets.json"));
  });

  test("takes the password from the environment, and keeps it in no file", async () => {
    const data = join(makeFolder(), "data");
    const server = startFixture(["--port", "0", "--data", data], { env: { STOWAGE_ADMIN_PASSWORD: "from outside" } });
    const url = await server.ready();
    expect(await (await fetch(`${url}/password`)).text()).toBe("from outside");
    expect(Object.keys(readSecrets(data))).toEqual(["TOKEN_SECRET"]);
    expect(server.stdout()).not.toContain("from outside");
    expect(server.stdout()).toContain("from STOWAGE_ADMIN_PASSWORD");
  });
});

test("--help shows how, with an example", async () => {
  const server = startStowage(["--help"]);
  expect(await server.exited()).toBe(0);
  expect(server.stdout()).toContain("Example:  npm start -- --port");
});

test("a wrong command line ends with 2 and one line", async () => {
  const server = startFixture(["--var", "GRETING:x"]);
  expect(await server.exited()).toBe(2);
  expect(server.stdout()).toBe("");
  expect(server.stderr()).toBe(
    "stowage: --var GRETING: no such setting; known are ADMIN_PASSWORD, GREETING, TOKEN_SECRET\n",
  );
});

test("a folder that cannot hold data ends with 1 and one line", async () => {
  const server = startFixture(["--data", "/dev/null/data"]);
  expect(await server.exited()).toBe(1);
  expect(server.stdout()).toBe("");
  expect(server.stderr()).toBe(
    "stowage: cannot keep data in /dev/null/data: part of the path is a file, not a folder; " +
      "choose another folder with --data\n",
  );
});
