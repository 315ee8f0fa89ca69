import { expect, test } from "vitest";
import type { Estimate, Month } from "../../../cost/estimate.ts";
import { run, runAt } from "./support/run.ts";
import { startStandIn } from "./support/stand-in.ts";

const USAGE = { repositories: 3, objects: 1_000, bytes: 50_000_000_000, databaseBytes: 7_000_000_000 };
const startRegistry = async () => await startStandIn({ "GET /api/usage": { json: USAGE } });

async function estimate(args: readonly string[]): Promise<Estimate & { readonly month: Month }> {
  const { code, stdout } = await runAt(await startRegistry(), ["cost", "--json", ...args]);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Estimate & { month: Month };
}

test("a month costs what the registry has stored, and what is done", async () => {
  const { stdout } = await runAt(await startRegistry(), ["cost", "--pulls", "20000000", "--cached", "100%"]);
  expect(stdout.split("\n")).toEqual([
    "A month with 20,000,000 pulls and 0 pushes of 5 layers of 50 MB, and 50 GB stored",
    "Part                Quantity   Included   Price               Dollars",
    "Workers Paid                                                  5.00",
    "Worker requests     200 M      10 M       $0.3 a million      57.00",
    "Worker CPU, in ms   200 M      30 M       $0.02 a million     3.40",
    "D1 rows read        153 M      25,000 M   $0.001 a million    0.00",
    "D1 rows written     0 M        50 M       $1 a million        0.00",
    "D1 storage          7 GB       5 GB       $0.75 a GB-month    1.50",
    "R2 class A          0 M        1 M        $4.5 a million      0.00",
    "R2 class B          0 M        10 M       $0.36 a million     0.00",
    "R2 storage          50 GB      10 GB      $0.015 a GB-month   0.60",
    "Egress              0 GB                  nothing             0.00",
    "Together                                                      67.50",
    "",
  ]);
});

test("--stored needs no registry", async () => {
  const { code, stdout } = await run(["cost", "--stored", "1TB"], { env: { STOWAGE_URL: "http://127.0.0.1:9" } });
  expect(code).toBe(0);
  expect(stdout).toContain("1,000 GB stored");
  expect(stdout).toMatch(/^R2 storage .* 14\.85$/m);
});

test.each<[string[], Partial<Month>]>([
  [[], { pulls: 0, pushes: 0, habit: "docker", cached: 0, storedBytes: 50e9, databaseBytes: 7e9 }],
  [["--layer-size", "6MiB", "--layers", "9"], { image: { layers: 9, layerBytes: 6_291_456 } }],
  [["--stored", "1.5 GB", "--cached", "62.5"], { storedBytes: 1.5e9, cached: 0.625 }],
  [["--pushes", "12", "--client", "containerd"], { pushes: 12, habit: "containerd" }],
])("%j say what the month is like", async (args, month) => {
  expect((await estimate(args)).month).toMatchObject(month);
});

test("an empty registry has layers of the usual size", async () => {
  const registry = await startStandIn({ "GET /api/usage": { json: { ...USAGE, objects: 0, bytes: 0 } } });
  const { stdout } = await runAt(registry, ["cost"]);
  expect(stdout).toContain("5 layers of 30 MB, and 0 GB stored");
});

test.each([
  ["--stored", "1"],
  ["--stored", "1XB"],
  ["--stored", "-1GB"],
  ["--cached", "101"],
  ["--cached", "half"],
  ["--pulls", "1.5"],
  ["--client", "curl"],
])("%s %s is misuse", async (...args) => {
  expect((await run(["cost", ...args])).code).toBe(2);
});
