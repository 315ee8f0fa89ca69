import { describe, expect, it } from "vitest";
import { parseUpstreams } from "../../src/policy/upstream-settings.ts";

const parse = (...list: unknown[]) => parseUpstreams(JSON.stringify(list), { UPSTREAM_HUB: " alice:s3cr:et " });

describe("upstreams", () => {
  it("are none where nothing is set", () => {
    expect(parseUpstreams(" ", {})).toEqual([]);
  });

  it("need no more than a name", () => {
    expect(parse({ name: "docker.io" }, { name: "quay.io" })).toEqual([
      {
        ...{ name: "docker.io", url: "https://registry-1.docker.io", credentials: undefined, repositories: ["**"] },
        ...{ anonymous: false, root: false, freshnessMs: 300_000, staleMs: undefined, cooldownMs: undefined },
        ...{ keptMs: 30 * 86_400_000, private: false },
      },
      expect.objectContaining({ name: "quay.io", url: "https://quay.io" }),
    ]);
  });

  it("say all that there is to say", () => {
    const [upstream] = parse({
      ...{ name: "up.test", url: "http://127.0.0.1:5000/", credentials: "UPSTREAM_HUB", repositories: ["team/**"] },
      ...{
        anonymous: true,
        root: ["mirror.example.org"],
        freshness: "30s",
        stale: "7d",
        cooldown: "3d",
        kept: "never",
        private: true,
      },
    });
    expect(upstream).toEqual({
      ...{ name: "up.test", url: "http://127.0.0.1:5000", credentials: { username: "alice", password: "s3cr:et" } },
      ...{ repositories: ["team/**"], anonymous: true, root: ["mirror.example.org"], freshnessMs: 30_000 },
      ...{ staleMs: 7 * 86_400_000, cooldownMs: 3 * 86_400_000, keptMs: undefined, private: true },
    });
  });

  it.each<[string, unknown[], string]>([
    ["no name", [{}], "at 0.name"],
    ["a name with a slash", [{ name: "docker.io/library" }], "use the registry's hostname"],
    ["a name with a port", [{ name: "localhost:5000" }], "use the registry's hostname"],
    ["a URL with a path", [{ name: "a.io", url: "https://a.io/v2" }], "without a path"],
    ["a URL with credentials", [{ name: "a.io", url: "https://x:y@a.io" }], "without a path"],
    ["another scheme", [{ name: "a.io", url: "ftp://a.io" }], "use an address"],
    ["plain HTTP", [{ name: "a.io", url: "http://a.io" }], 'set "private": true'],
    ["a misspelt key", [{ name: "a.io", fresh: "5m" }], "at 0.fresh: is not known"],
    ["no duration", [{ name: "a.io", freshness: "soon" }], "use a duration"],
    ["no pattern", [{ name: "a.io", repositories: [] }], "at least one pattern"],
    ["a wrong pattern", [{ name: "a.io", repositories: ["A"] }], "use a repository pattern"],
    ["one name twice", [{ name: "a.io" }, { name: "a.io" }], "names an upstream twice"],
    [
      "two roots",
      [
        { name: "a.io", root: true },
        { name: "b.io", root: true },
      ],
      "more than one upstream whose root is true",
    ],
    ["credentials in the open", [{ name: "a.io", credentials: "alice:secret" }], "use the name of a secret"],
    [
      "a secret that is not set",
      [{ name: "a.io", credentials: "UPSTREAM_A" }],
      "names the secret UPSTREAM_A, which is not set",
    ],
  ])("are refused with %s", (_, list, message) => {
    expect(() => parse(...list)).toThrow(message);
  });

  it.each(["{", "{}", '"docker.io"', "[1]"])("are refused as %s", (text) => {
    expect(() => parseUpstreams(text, {})).toThrow();
  });

  it("never tell a secret", () => {
    expect(() => parseUpstreams('[{"name":"a.io","credentials":"UPSTREAM_A"}]', { UPSTREAM_A: "hunter2" })).toThrow(
      /^((?!hunter2).)*$/,
    );
  });
});
