import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isWorkerd, readPid } from "../../scripts/local/workerd.ts";
import { eventually, makeFolder, startFixture } from "./support/server.ts";

/** A runtime that drains leaves new connections waiting, and ends them with itself. */
async function isOpen(url: string): Promise<boolean> {
  return await fetch(`${url}/greeting`, { signal: AbortSignal.timeout(300) }).then(
    () => true,
    () => false,
  );
}

describe("the end of a server", () => {
  test("SIGTERM lets a request under way finish, takes no other, and ends with 0", async () => {
    const server = startFixture(["--port", "0", "--data", makeFolder()]);
    const url = await server.ready();
    const slow = fetch(`${url}/slow?ms=1500`);
    await eventually(server.stderr, (log) => log.includes("slow begins"));
    const exited = server.kill("SIGTERM");
    await eventually(
      async () => await isOpen(url),
      (open) => !open,
    );
    expect(await (await slow).text()).toBe("slow");
    expect(await exited).toBe(0);
    expect(server.stderr()).toBe("slow begins\n");
  });

  test("a second signal ends it at once", async () => {
    const data = makeFolder();
    const server = startFixture(["--port", "0", "--data", data]);
    const url = await server.ready();
    const slow = fetch(`${url}/slow?ms=8000`).catch(() => "cut");
    await eventually(server.stderr, (log) => log.includes("slow begins"));
    const exited = server.kill("SIGINT");
    await eventually(
      async () => await isOpen(url),
      (open) => !open,
    );
    server.process.kill("SIGINT");
    expect(await exited).toBe(130);
    expect(await slow).toBe("cut");
    await eventually(
      () => isWorkerd(readPid(data)!),
      (runs) => !runs,
    );
  });

  test("SIGKILL loses nothing, takes the runtime along, and leaves port and data to the next", async () => {
    const data = makeFolder();
    const first = startFixture(["--port", "0", "--data", data]);
    const url = await first.ready();
    expect((await fetch(`${url}/note`, { method: "PUT", body: "acknowledged" })).status).toBe(201);
    const runtime = readPid(data)!;
    expect(isWorkerd(runtime)).toBe(true);
    first.process.kill("SIGKILL");

    const second = startFixture(["--port", new URL(url).port, "--data", data]);
    expect(await second.ready()).toBe(url);
    expect(isWorkerd(runtime)).toBe(false);
    expect(await (await fetch(`${url}/note`)).json()).toEqual(["acknowledged", "acknowledged"]);
  });
});

describe("what is taken", () => {
  test("a port in use is refused in one line", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const server = startFixture(["--port", `${port}`, "--data", makeFolder()]);
    expect(await server.exited()).toBe(1);
    expect(server.stderr()).toBe(
      `stowage: port ${port} of 127.0.0.1 is in use: stop what listens there, or choose another port with --port\n`,
    );
    other.close();
  });

  test("a data folder in use is refused in one line that names its server", async () => {
    const data = makeFolder();
    const first = startFixture(["--port", "0", "--data", data]);
    const url = await first.ready();
    expect(JSON.parse(readFileSync(join(data, "server.json"), "utf8"))).toEqual({ pid: first.process.pid, url });
    const second = startFixture(["--port", "0", "--data", data]);
    expect(await second.exited()).toBe(1);
    expect(second.stderr()).toBe(
      `stowage: ${data} is in use by another Stowage (process ${first.process.pid}, ${url}): ` +
        "stop it, or choose another folder with --data\n",
    );
    expect((await fetch(`${url}/greeting`)).status).toBe(200);
  });
});
