import { expect, test } from "vitest";
import type { Upstream } from "../../web/operate/answers.ts";
import { describeTimes, fileFor, MIRROR_CLIENTS, pullByName, troubleOf } from "../../web/operate/mirror-clients.ts";

const HUB: Upstream = {
  ...{ name: "docker.io", url: "https://registry-1.docker.io", hasCredentials: false, anonymous: true, root: true },
  ...{ repositories: ["**"], freshness: "5m", stale: "never", cooldown: "0s", kept: "30d" },
  ...{ mirrored: { repositories: 0, bytes: 0 }, answeredAt: null, failedAt: null, failure: null, rateLimit: null },
};

test("every client has a file of its own, or needs none", () => {
  const files = MIRROR_CLIENTS.map(({ value }) => fileFor(value, "ghcr.io")?.path);
  expect(files).toEqual([
    ...["/mirror/daemon.json", "/mirror/ghcr.io/hosts.toml", "/mirror/registries.conf", "/mirror/registries.yaml"],
    undefined,
  ]);
  expect(fileFor("containerd", "ghcr.io")?.where).toContain("/etc/containerd/certs.d/ghcr.io/hosts.toml");
});

test.each([
  ["docker.io", "docker pull r.example.org/docker.io/library/nginx"],
  ["ghcr.io", "docker pull r.example.org/ghcr.io/NAME"],
])("an image of %s is pulled by its name here", (upstream, command) => {
  expect(pullByName(upstream, "r.example.org")).toBe(command);
});

test.each<[string, Partial<Upstream>, string | undefined]>([
  ["none", {}, undefined],
  ["of the only answer", { failure: "is gone", failedAt: "2026-01-01T00:00:00Z" }, "is gone"],
  [
    "after the last answer",
    { failure: "is gone", failedAt: "2026-01-01T00:00:01Z", answeredAt: "2026-01-01T00:00:00Z" },
    "is gone",
  ],
  [
    "that is over",
    { failure: "is gone", failedAt: "2026-01-01T00:00:00Z", answeredAt: "2026-01-01T00:00:01Z" },
    undefined,
  ],
])("trouble: %s", (_what, upstream, expected) => {
  expect(troubleOf({ ...HUB, ...upstream })).toBe(expected);
});

test("times are told where they differ from the least that there is", () => {
  expect(describeTimes(HUB)).toEqual(["tags asked for again after 5m", "kept for 30d after the last pull"]);
  expect(describeTimes({ ...HUB, stale: "12h", cooldown: "3d", kept: "never" })).toEqual([
    ...["tags asked for again after 5m", "nothing younger than 3d", "copies served for 12h without it"],
    "kept for ever",
  ]);
});
