import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { digestOf } from "../distribution/support/memory-registry.ts";
import { send } from "../support/http.ts";
import { makeFolder, startRelayProgram, startStowage } from "../support/server.ts";
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
});
