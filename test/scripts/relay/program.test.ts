import { randomBytes } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { digestOf } from "../distribution/support/memory-registry.ts";
import { send } from "../support/http.ts";
import { eventually, makeFolder, startRelayProgram, startStowage } from "../support/server.ts";
import { run as runHere } from "../stowage/support/run.ts";
import { open, push, PUSHES } from "./support/relay.ts";

const PASSWORD = "a password for the edge";

test("stowage relay brings layers past the limit of the edge, and ends when it is told to", async () => {
  const flags = ["--limit-body", "1MB", "--var", `ADMIN_PASSWORD:${PASSWORD}`];
  const registry = await startStowage(["--port", "0", "--data", join(makeFolder(), "data"), ...flags]).ready();
  const credentials = { STOWAGE_USERNAME: "admin", STOWAGE_PASSWORD: PASSWORD };
  const program = startRelayProgram(["--port", "0", "--registry", registry], credentials);
  const url = new URL(await program.ready());
  expect(program.stdout()).toContain(`docker push ${url.host}/IMAGE`);
  const scope = new URL("/token?service=stowage&scope=repository:team/web:pull,push", url);
  const { body } = await send(scope, { method: "GET" });
  const headers = { authorization: `Bearer ${(JSON.parse(body.toString()) as { token: string }).token}` };
  for (const how of PUSHES) {
    const bytes = randomBytes(2_500_000);
    const answers = await push(await open({ url }, headers), bytes, { ...how, headers });
    expect(answers.at(-1)?.headers).toMatchObject({ "docker-content-digest": digestOf(bytes) });
    const blob = await send(new URL(`/v2/team/web/blobs/${digestOf(bytes)}`, url), { method: "GET", headers });
    expect(blob.body.equals(bytes)).toBe(true);
    expect(program.stdout()).toContain(`team/web  ${digestOf(bytes)}  2.38 MiB in `);
  }
  expect(await program.kill("SIGINT")).toBe(0);
  expect(program.stderr()).toBe("");

  const told = startRelayProgram(["--port", "0", "--registry", registry, "--json"], credentials);
  const lines = await eventually(
    () => told.stdout().split("\n"),
    ({ length }) => length === 2,
  );
  const { relay } = JSON.parse(lines[0] ?? "") as { relay: string };
  const bytes = randomBytes(1_500_000);
  const at = { url: new URL(`http://${relay}`) };
  await push(await open(at, headers), bytes, { method: "PUT", isChunked: false, headers });
  const [, finished = ""] = await eventually(
    () => told.stdout().split("\n"),
    ({ length }) => length === 3,
  );
  expect(JSON.parse(finished)).toMatchObject({ repository: "team/web", digest: digestOf(bytes), bytes: bytes.length });
});

test.for<readonly [args: string[], code: number, message: string]>([
  [["--port", "70000"], 2, "It must be a whole number from 0 to 65535"],
  [["--chunk-size", "much"], 2, "Write it as 30MB"],
  [["--registry", "http://registry.example.org"], 2, "no password goes to registry.example.org over plain http"],
])("stowage relay %j is misused, and says how", async ([args, code, message]) => {
  const outcome = await runHere(["relay", ...args]);
  expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(message)]);
});

test("stowage relay says that its port is taken", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void taken.close());
  const port = String((taken.address() as AddressInfo).port);
  const outcome = await runHere(["relay", "--port", port, "--registry", "https://registry.example.org"]);
  expect([outcome.code, outcome.stderr]).toEqual([1, expect.stringContaining(`port ${port} of 127.0.0.1 is in use`)]);
});
