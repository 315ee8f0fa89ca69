import { randomBytes } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { savedFiles, tarOf, writeTemporary } from "../archive/support.ts";
import { addSignedIndex } from "../distribution/support/images.ts";
import { startMemoryRegistry } from "../distribution/support/memory-registry.ts";
import { makeFolder, startStowage } from "../support/server.ts";
import { run } from "./support/run.ts";

test("images go into Stowage, within it, and out again, in chunks and with bars on a terminal", async () => {
  const password = "of this test alone";
  const server = startStowage(["--port", "0", "--data", makeFolder()], { STOWAGE_ADMIN_PASSWORD: password });
  const [source, target] = [
    await startMemoryRegistry({ hasReferrers: true }),
    await startMemoryRegistry({ hasReferrers: true }),
  ];
  const { index } = addSignedIndex(source, "team/web", "1");
  const url = await server.ready();
  const { host } = new URL(url);
  const env = { STOWAGE_URL: url, STOWAGE_USERNAME: "admin", STOWAGE_PASSWORD: password };
  const stowage = async (...args: string[]) => {
    const { code, stdout, stderr } = await run([...args, "--json"], { env, timeoutMs: 20_000 });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    return JSON.parse(stdout) as { blobs: { copied: number; mounted: number }; images: { digest: string }[] };
  };

  await stowage("copy", `${source.host}/team/web:1`, "mirror/web");
  expect((await stowage("copy", `${host}/mirror/web:1`, "other/web")).blobs).toEqual({
    copied: 0,
    mounted: 9,
    present: 0,
  });
  const back = await stowage("copy", `${host}/other/web:1`, `${target.host}/team/web`);
  expect(back.images[0]?.digest).toBe(index.digest);
  const { manifests, blobs } = source.repository("team/web");
  expect([...target.repository("team/web").manifests].sort()).toEqual([...manifests].sort());
  expect(target.repository("team/web").blobs.size).toBe(blobs.size);

  // Two repositories hold the same blobs, and each its own manifests.
  const usage = JSON.parse((await run(["df", "--json"], { env })).stdout) as {
    repositories: { name: string; manifests: number; size: number; uniqueSize: number; sharedSize: number }[];
    total: { bytes: number };
  };
  const sum = (contents: Iterable<Uint8Array>) => [...contents].reduce((bytes, content) => bytes + content.length, 0);
  const [shared, own] = [sum(blobs.values()), sum([...manifests.values()].map(({ bytes }) => bytes))];
  const held = { manifests: 5, size: shared + own, uniqueSize: own, sharedSize: shared };
  expect(usage.repositories).toMatchObject([
    { name: "other/web", ...held },
    { name: "mirror/web", ...held },
  ]);
  expect(usage.total.bytes).toBe(shared);

  const { files, id } = savedFiles("app:1", [randomBytes(1_500_000).toString("latin1")]);
  const archive = writeTemporary(await tarOf(files));
  const loaded = await run(["load", archive, "app:1", "--chunk-size", "1MB"], { env, terminal: "all" });
  expect(loaded.code).toBe(0);
  expect(stripVTControlCharacters(loaded.stderr)).toMatch(/sha256:[0-9a-f]{12} {2}█+.* of \d\.\d+ MiB/);
  expect(loaded.stderr).toContain("Copied 1 manifest and 2 blobs");
  await stowage("copy", `${host}/app:1`, `${target.host}/app`);
  const [[, kept] = []] = target.repository("app").manifests;
  expect((JSON.parse(kept?.bytes.toString() ?? "") as { config: { digest: string } }).config.digest).toBe(id);
});
