import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { parseUpstreams } from "../../src/policy/upstream-settings.ts";

const docs = readFileSync(join(import.meta.dirname, "../../docs/mirror.md"), "utf8");

/** The settings of an example, as the registry reads them. */
const read = (text: string) => parseUpstreams(text, { UPSTREAM_HUB: "a:b", UPSTREAM_GHCR: "c:d" });

test("docs/mirror.md has an example for wrangler.toml that the registry accepts", () => {
  const [, toml = ""] = /^```toml\n(UPSTREAMS[^]*?)^```/m.exec(docs)!;
  const { UPSTREAMS } = parse(toml) as { UPSTREAMS: string };
  expect(read(UPSTREAMS).map(({ name }) => name)).toEqual([
    ...["docker.io", "ghcr.io", "quay.io", "registry.k8s.io", "registry.example.org"],
  ]);
});

test("docs/mirror.md has one for the local server", () => {
  const [, json = ""] = /--var 'UPSTREAMS:(.*)'$/m.exec(docs)!;
  expect(read(json)).toMatchObject([{ name: "docker.io", anonymous: true, root: true }]);
});

test("docs/mirror.md has the defaults of all settings", () => {
  const rows = [...docs.matchAll(/^\| `(\w+)` \| `([^`]*)` \|/gm)].filter(([, name]) => name !== "url");
  // Those that are JSON by themselves, and texts.
  const value = (text: string): unknown => (/^(\[|true|false)/.test(text) ? (JSON.parse(text) as unknown) : text);
  const defaults: Record<string, unknown> = Object.fromEntries(
    rows.map(([, name = "", text = ""]) => [name, value(text)] as const),
  );
  expect(Object.keys(defaults)).toEqual([
    ...["repositories", "anonymous", "root", "freshness", "stale", "cooldown", "kept", "private"],
  ]);
  expect(read(JSON.stringify([{ name: "a.test", ...defaults }]))).toEqual(read('[{"name":"a.test"}]'));
});
