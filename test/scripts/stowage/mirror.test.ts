import { expect, test } from "vitest";
import { CHECK, HUB } from "./support/mirror.ts";
import { runAt } from "./support/run.ts";
import { startStandIn } from "./support/stand-in.ts";

const ON_TERMINAL = { terminal: "all", env: { NO_COLOR: "1" } } as const;

const QUAY = {
  ...{ ...HUB, name: "quay.io", url: "https://quay.io", anonymous: false, root: ["q.example.org"] },
  ...{ mirrored: { repositories: 0, bytes: 0 }, answeredAt: null, rateLimit: null },
  ...{ failedAt: "2026-06-15T09:00:00Z", failure: "quay.io cannot be reached" },
};
const BROKEN = { ...CHECK, name: "quay.io", ok: false, message: "quay.io cannot be reached", rateLimit: null };

const start = async () =>
  await startStandIn({
    "GET /api/mirror": { json: { upstreams: [HUB, QUAY] } },
    "POST /api/mirror/docker.io/check": { json: CHECK },
    "POST /api/mirror/quay.io/check": { json: BROKEN },
  });

test("list shows who may pull what is mirrored, what is here, and what the upstreams said", async () => {
  const { stdout, code } = await runAt(await start(), ["mirror", "list"], ON_TERMINAL);
  expect(code).toBe(0);
  const cells = stdout.split("\n").map((line) => line.split(/ {3,}/));
  expect(cells).toEqual([
    ["Upstream", "Address", "For", "Root", "Here", "Answered", "Pulls left", "Trouble"],
    ["docker.io", HUB.url, "anyone", "yes", "1 repository, 3 MiB", "3 minutes ago", "176 of 200"],
    [
      ...["quay.io", QUAY.url, "whom a rule allows it", "q.example.org", "0 repositories, 0 bytes", "never"],
      "quay.io cannot be reached (3 hours ago)",
    ],
    [""],
  ]);
});

test("list says nothing of trouble that is over", async () => {
  const upstreams = [{ ...QUAY, answeredAt: "2026-06-15T10:00:00Z" }];
  const registry = await startStandIn({ "GET /api/mirror": { json: { upstreams } } });
  expect((await runAt(registry, ["mirror", "list"])).stdout).not.toContain("cannot be reached");
});

test("list of a registry that mirrors none", async () => {
  const registry = await startStandIn({ "GET /api/mirror": { json: { upstreams: [] } } });
  const { stderr, code } = await runAt(registry, ["mirror", "list"], { terminal: "stderr" });
  expect([code, stderr]).toEqual([0, "This registry mirrors no other: set UPSTREAMS.\n"]);
});

test("check asks each upstream, shows what they said, and fails where one is out of order", async () => {
  const registry = await start();
  const { stdout, stderr, code } = await runAt(registry, ["mirror", "check"]);
  expect(stdout.split("\n").map((line) => line.split(/ {3,}/))).toEqual([
    ["Upstream", "Took", "What it said", "Digest", "Pulls left"],
    ["docker.io", "ok", "40 ms", CHECK.message, "176 of 200"],
    ["quay.io", "failed", "40 ms", BROKEN.message],
    [""],
  ]);
  expect([code, stderr]).toEqual([1, "stowage: quay.io cannot be reached\n"]);
  expect(registry.calls.map(({ line }) => line)).toEqual([
    ...["GET /api/mirror", "POST /api/mirror/docker.io/check", "POST /api/mirror/quay.io/check"],
  ]);
});

test("check --json has the answers, of each or of one, and the same exit code", async () => {
  const all = await runAt(await start(), ["mirror", "check", "--json"]);
  expect([all.code, JSON.parse(all.stdout)]).toEqual([1, { checks: [CHECK, BROKEN] }]);
  const one = await runAt(await start(), ["mirror", "check", "quay.io", "--json"]);
  expect([one.code, JSON.parse(one.stdout)]).toEqual([1, BROKEN]);
});

test("check --json where there is nothing to ask", async () => {
  const registry = await startStandIn({ "GET /api/mirror": { json: { upstreams: [] } } });
  const { code, stdout } = await runAt(registry, ["mirror", "check", "--json"]);
  expect([code, JSON.parse(stdout)]).toEqual([0, { checks: [] }]);
});
