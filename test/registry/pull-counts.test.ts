import { describe, expect, it } from "vitest";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { PullCounts } from "../../src/registry/pull-counts.ts";
import { CountedRegistry } from "../support/counted-registry.ts";
import { pushImage } from "../support/images.ts";
import { freshRepository } from "../support/registry.ts";
import { rows } from "../support/uploads.ts";

const MINUTE = 60_000;

/** Counts pulls at seconds, and tells what is written down at each: repositories with their pulls. */
function count(pulls: readonly (readonly [second: number, name: string])[], counts = new PullCounts()): string[] {
  return pulls.map(([second, name]) =>
    counts
      .count(name as RepositoryName, second * 1_000, MINUTE)
      .map((one) => `${one.repository} ${one.pulls} at ${one.pulledAt / 1_000}`)
      .join(", "),
  );
}

describe("pulls are written down", () => {
  it.each<[string, [number, string][], string[]]>([
    ["at the first one", [[0, "a"]], ["a 1 at 0"]],
    [
      "at most once a minute then, with those since",
      [0, 1, 59, 60, 61, 119, 120].map((second) => [second, "a"]),
      ["a 1 at 0", "", "", "a 3 at 60", "", "", "a 3 at 120"],
    ],
    [
      "of each repository for itself",
      [
        [0, "a"],
        [1, "b"],
        [2, "a"],
        [3, "b"],
      ],
      ["a 1 at 0", "b 1 at 1", "", ""],
    ],
    [
      "of others too, whose minute is over",
      [
        [0, "a"],
        [1, "a"],
        [2, "b"],
        [61, "c"],
      ],
      ["a 1 at 0", "", "b 1 at 2", "c 1 at 61, a 1 at 1"],
    ],
    [
      "at once where nobody pulled for a minute",
      [
        [0, "a"],
        [70, "a"],
        [71, "a"],
        [200, "b"],
        [201, "a"],
      ],
      ["a 1 at 0", "a 1 at 70", "", "b 1 at 200, a 1 at 71", ""],
    ],
    [
      "at once again where none was left to write",
      [
        [0, "a"],
        [100, "b"],
        [101, "a"],
      ],
      ["a 1 at 0", "b 1 at 100", "a 1 at 101"],
    ],
  ])("%s", (_when, pulls, expected) => {
    expect(count(pulls)).toEqual(expected);
  });

  it("and none is lost or counted twice, however many repositories there are", () => {
    const counts = new PullCounts();
    let [written, second] = [0, 0];
    const pull = (name: string) => {
      for (const { pulls } of counts.count(name as RepositoryName, second * 1_000, MINUTE)) written += pulls;
    };
    for (let round = 0; round < 3; round += 1, second += 10) for (let i = 0; i < 6_000; i += 1) pull(`r${i}`);
    second += 100;
    pull("last");
    expect(written).toBe(3 * 6_000 + 1);
  });
});

describe("a pull", () => {
  const pullsOf = async (repository: string) => {
    const [found] = await rows<{ pulls: number; pulled_at: number | null }>(
      "SELECT pulls, pulled_at FROM repositories WHERE name = ?1",
      repository,
    );
    return found!;
  };
  const every = new CountedRegistry({ PULL_COUNT_INTERVAL: "0s" });
  const seldom = new CountedRegistry();

  it.each<[string, string, string, Record<string, string>, number]>([
    ["GET by tag", "GET", "v1", {}, 1],
    ["GET by digest", "GET", "digest", {}, 1],
    ["GET of what the client has", "GET", "v1", { "If-None-Match": "*" }, 1],
    ["HEAD", "HEAD", "v1", {}, 0],
    ["GET of what is not there", "GET", "v2", {}, 0],
  ])("is counted: %s", async (_what, method, reference, headers, expected) => {
    const repository = freshRepository();
    const { digest } = await pushImage(repository, { tag: "v1" });
    const path = `/v2/${repository}/manifests/${reference === "digest" ? digest : reference}`;
    for (let time = 0; time < 2; time += 1) await every.send(method, path, { headers });
    expect((await pullsOf(repository)).pulls).toBe(2 * expected);
  });

  it("is noted with its time, and in the same round trip as that of the manifest", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1" });
    const path = `/v2/${repository}/manifests/v1`;
    const costs = [];
    for (let time = 0; time < 3; time += 1) costs.push((await seldom.send("GET", path)).usage.roundTrips);
    expect(costs).toEqual([2, 1, 1]);
    const { pulls, pulled_at: pulledAt } = await pullsOf(repository);
    expect(pulls).toBe(1);
    expect(Math.abs(pulledAt! - Date.now())).toBeLessThan(600_000);
    await every.send("GET", path);
    expect((await pullsOf(repository)).pulls).toBe(4);
  });
});
