import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copyProject, eventually, makeFolder, startFixture } from "./support/server.ts";

/** A request without Content-Length when it has a body, with its headers as they came. */
async function send(url: string, method: string, headers: Record<string, string>, chunks: readonly string[]) {
  return await new Promise<Record<string, string>>((resolve, reject) => {
    const outgoing = request(`${url}/echo`, { method, headers }, (incoming) => {
      const { rawHeaders } = incoming;
      incoming.resume().once("end", () => {
        const pairs = rawHeaders.flatMap((name, index) =>
          index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""]] : [],
        );
        resolve(Object.fromEntries(pairs) as Record<string, string>);
      });
    });
    outgoing.once("error", reject);
    for (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
  });
}

describe("the Worker behind the local server", () => {
  test("sees requests, and answers, as they are", async () => {
    const server = startFixture(["--port", "0", "--data", makeFolder()]);
    const url = await server.ready();
    const streamed = await send(url, "PATCH", { Host: "registry.example:5000" }, ["a".repeat(70_000), "b".repeat(7)]);
    expect(streamed).toMatchObject({ "X-Url": "http://registry.example:5000/echo", "X-Size": "70007" });
    expect(await send(url, "HEAD", {}, [])).toMatchObject({
      "Content-Length": "1234",
      "Docker-Content-Digest": "sha256:0",
    });
  });

  test("runs by the schedule of wrangler.toml", async () => {
    const server = startFixture(["--port", "0", "--data", makeFolder()]);
    const url = await server.ready();
    const cron = await eventually(
      async () => await (await fetch(`${url}/runs`)).json(),
      (value) => value !== null,
    );
    expect(cron).toBe("* * * * * *");
    expect(server.stderr()).toBe("");
  });

  test("that does not build is refused in one line with the place", async () => {
    const project = copyProject();
    writeFileSync(join(project, "src/worker.ts"), "export default {};\nconst = 1;\n");
    const server = startFixture(["--port", "0", "--data", makeFolder()], { project });
    expect(await server.exited()).toBe(1);
    expect(server.stderr()).toMatch(/^stowage: cannot build the Worker: src\/worker\.ts:2:7: .*\n$/);
  });

  test("that throws as it loads is refused in one line", async () => {
    const project = copyProject();
    writeFileSync(join(project, "src/worker.ts"), 'throw new Error("not today");\n');
    const server = startFixture(["--port", "0", "--data", makeFolder()], { project });
    expect(await server.exited()).toBe(1);
    expect(server.stderr()).toMatch(/^stowage: .*not today.*\n$/);
  });
});

describe("migrations", () => {
  test("a failing one is rolled back whole; a newer database is refused", async () => {
    const project = copyProject();
    const data = makeFolder();
    const second = join(project, "migrations/0002_more.sql");
    writeFileSync(second, "CREATE TABLE more (x);\nCREATE TABEL typo (x);\n");
    const failing = startFixture(["--port", "0", "--data", data], { project });
    expect(await failing.exited()).toBe(1);
    expect(failing.stderr()).toMatch(/^stowage: the migration 0002_more\.sql failed and was rolled back: .*TABEL.*\n$/);

    writeFileSync(second, "CREATE TABLE more (x);\n");
    const mended = startFixture(["--port", "0", "--data", data], { project });
    await mended.ready();
    expect(await mended.kill("SIGTERM")).toBe(0);

    rmSync(second);
    const older = startFixture(["--port", "0", "--data", data], { project });
    expect(await older.exited()).toBe(1);
    expect(older.stderr()).toMatch(/^stowage: the database has the migration 0002_more\.sql, which .*\n$/);
  });
});

describe("npm run dev", () => {
  test("loads a changed Worker or page on the same port and goes on with the old one when it does not build", async () => {
    const project = copyProject();
    mkdirSync(join(project, "web/styles"), { recursive: true });
    appendFileSync(join(project, "wrangler.toml"), '[assets]\ndirectory = "web/dist"\nbinding = "ASSETS"\n');
    const server = startFixture(["--port", "0", "--data", makeFolder(), "--watch"], { project });
    const url = await server.ready();
    const ask = async () =>
      await fetch(`${url}/greeting`).then(
        (response) => response.text(),
        () => "down",
      );
    await fetch(`${url}/note`, { method: "PUT", body: "kept" });

    writeFileSync(join(project, "src/worker.ts"), "export default {");
    await eventually(server.stderr, (log) => log.includes("cannot build the Worker: src/worker.ts:1:"));
    expect(await ask()).toBe("hello");

    const getNote = '(await env.DB.prepare("SELECT text FROM notes").first("text"))';
    writeFileSync(
      join(project, "src/worker.ts"),
      `export default { fetch: async (_, env) => new Response("changed " + ${getNote}) };`,
    );
    expect(await eventually(ask, (answer) => answer.startsWith("changed"))).toBe("changed kept");

    writeFileSync(join(project, "web/styles/main.css"), "body { color: black }");
    await eventually(server.stderr, (log) => log.includes("loaded the changed page"));
    expect(await ask()).toBe("changed kept");

    writeFileSync(join(project, "migrations/0002_more.sql"), "INSERT INTO notes VALUES ('another', 'x');");
    await eventually(server.stderr, (log) => log.includes("applied the migration 0002_more.sql"));
  });
});
