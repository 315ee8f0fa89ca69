import { expect, test } from "vitest";
import { runAt } from "./support/run.ts";
import { startStandIn } from "./support/stand-in.ts";

const repository = (name: string, manifests: number, tags: number, size: number, uniqueSize: number) => ({
  ...{ name, upstream: null, manifests, tags, size, uniqueSize, visibility: "private" },
});

async function start(repositories: readonly object[], mirroredBytes = 0) {
  return await startStandIn({
    "GET /api/repositories?sort=size&order=desc": { json: { repositories, total: repositories.length } },
    "GET /api/usage": {
      json: { repositories: 2, objects: 7, bytes: 3_500_000, mirroredBytes, databaseBytes: 200_000 },
    },
  });
}

const TWO = [repository("team/web", 3, 2, 3_000_000, 2_000_000), repository("team/api", 1, 1, 1_500_000, 500_000)];

test("df shows what each repository holds, what of it is its own, and what all hold together", async () => {
  const { stdout, code } = await runAt(await start(TWO), ["df"]);
  expect(code).toBe(0);
  expect(stdout.split("\n")).toEqual([
    "Repository   Manifests   Tags   Size       Unique     Shared",
    "team/web     3           2      2.86 MiB   1.91 MiB   977 KiB",
    "team/api     1           1      1.43 MiB   488 KiB    977 KiB",
    "",
    "In all",
    "Repositories   2, with 4 manifests and 3 tags",
    "Stored         3.34 MiB in 7 objects, each content once",
    "Unique         2.38 MiB; the rest is shared, or waits to be collected",
    "Database       195 KiB",
    "",
  ]);
});

test("df tells what only mirrors hold, where there are any", async () => {
  const mirror = { ...repository("docker.io/library/nginx", 3, 1, 1_048_576, 1_048_576), upstream: "docker.io" };
  const { stdout } = await runAt(await start([...TWO, mirror], 1_048_576), ["df"]);
  expect(stdout).toContain("\nMirrored       1 MiB, that no repository of our own holds\n");
});

test("df --json counts in bytes", async () => {
  const { stdout } = await runAt(await start(TWO), ["df", "--json"]);
  expect(JSON.parse(stdout)).toEqual({
    repositories: [
      {
        ...{ name: "team/web", upstream: null, manifests: 3, tags: 2 },
        ...{ size: 3_000_000, uniqueSize: 2_000_000, sharedSize: 1_000_000 },
      },
      {
        ...{ name: "team/api", upstream: null, manifests: 1, tags: 1 },
        ...{ size: 1_500_000, uniqueSize: 500_000, sharedSize: 1_000_000 },
      },
    ],
    total: {
      ...{ repositories: 2, manifests: 4, tags: 3, uniqueSize: 2_500_000, objects: 7 },
      ...{ bytes: 3_500_000, mirroredBytes: 0, databaseBytes: 200_000 },
    },
  });
});

test("df of an empty registry", async () => {
  const { stdout, code } = await runAt(await start([]), ["df"]);
  expect(stdout).toMatch(/^\n?In all\nRepositories +0, with 0 manifests and 0 tags\n/);
  expect(code).toBe(0);
});
