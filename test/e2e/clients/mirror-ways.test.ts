import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { machineOfGroup } from "../support/machine.ts";
import { startMirror } from "../support/mirror/mirror.ts";
import { type PushedIndex, pushImage, pushIndex } from "../support/mirror/pushing.ts";
import { startUpstream, UPSTREAM_TOOLS, type UpstreamRegistry } from "../support/mirror/upstream.ts";
import { type MirrorPlace, type Pulled, type Way, WAYS } from "../support/mirror/ways.ts";
import { MANIFEST_TYPES } from "../support/registry.ts";
import type { RunningRegistry } from "../support/server.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

const freshName = () => `library/app-${randomUUID()}`;

describeWithTools("mirror", UPSTREAM_TOOLS, () => {
  let upstream: UpstreamRegistry;
  let mirror: RunningRegistry;

  beforeAll(async () => {
    upstream = await startUpstream();
    const shared = { url: upstream.gate.url, anonymous: true };
    mirror = await startMirror([
      { ...shared, name: "docker.io", root: true, freshness: "1h" },
      { ...shared, name: "asked.test", root: ["localhost"], freshness: "0s" },
    ]);
  });

  afterAll(async () => {
    await mirror.stop();
    await upstream.remove();
  });

  /** The mirror whose tags stay fresh, and the one that asks the upstream each time. */
  const fresh = (): MirrorPlace => ({ host: mirror.host, upstream: "docker.io" });
  const asking = (): MirrorPlace => ({ host: mirror.host.replace("127.0.0.1", "localhost"), upstream: "asked.test" });

  function describeEachWay(
    place: () => MirrorPlace,
    body: (way: Way, newcomer: () => Promise<Workspace>) => void,
  ): void {
    for (const way of WAYS) {
      describeWithTools(way.title, way.tools, () => {
        body(way, machineOfGroup(way.startDaemon && (async (workspace) => await way.startDaemon!(place())(workspace))));
      });
    }
  }

  function expectPulled(pulled: Pulled, ...digests: string[]): void {
    expect(pulled.code, pulled.stderr).toBe(0);
    expect(digests).toContain(pulled.digest);
  }

  describe("of an upstream that answers", () => {
    describeEachWay(fresh, (way, newcomer) => {
      test("fetches an image once, and then asks nothing more", async () => {
        const repository = freshName();
        const { digest } = await pushImage(upstream.behind, repository, "1", { layers: ["file", "file"] });
        upstream.gate.forget();
        expectPulled(await way.pull(await newcomer(), fresh(), repository, ":1"), digest);
        const blobs = upstream.gate.requests.filter(({ method, path }) => method === "GET" && path.includes("/blobs/"));
        expect(new Set(blobs.map(({ path }) => path)).size).toBe(blobs.length);
        expect(blobs).toHaveLength(3);

        upstream.gate.forget();
        for (const reference of [":1", `@${digest}`]) {
          expectPulled(await way.pull(await newcomer(), fresh(), repository, reference), digest);
        }
        expect(upstream.gate.requests).toEqual([]);
      });

      test("fetches the platform it wants of an index", async () => {
        const repository = freshName();
        const { index, images } = await pushIndex(upstream.behind, repository, "1", ["amd64", "arm64"]);
        const amd64 = images[0]!.digest;
        expectPulled(await way.pull(await newcomer(), fresh(), repository, ":1"), index.digest, amd64);
      });
    });
  });

  describe("of an upstream that has ended", () => {
    const repository = freshName();
    let pushed: PushedIndex;

    const ask = async (tag: string) =>
      await fetch(`${mirror.url}/v2/asked.test/${repository}/manifests/${tag}`, {
        headers: { accept: Object.values(MANIFEST_TYPES).join(", ") },
      });

    beforeAll(async () => {
      pushed = await pushIndex(upstream.behind, repository, "1", ["amd64", "arm64"]);
      const workspace = await createWorkspace();
      const source = `docker://${mirror.host}/asked.test/${repository}:1`;
      await workspace.run("skopeo", [
        ...["copy", "--all", "--quiet", "--src-tls-verify=false", source, `oci:${workspace.path("all")}:v1`],
      ]);
      await workspace.remove();
      await upstream.end();
    });

    describeEachWay(asking, (way, newcomer) => {
      test("pulls by tag and by digest what was pulled before", async () => {
        const { index, images } = pushed;
        for (const reference of [":1", `@${index.digest}`]) {
          const pulled = await way.pull(await newcomer(), asking(), repository, reference);
          expectPulled(pulled, index.digest, images[0]!.digest);
        }
      });
    });

    test("says in a header that what a tag names may be old", async () => {
      const response = await ask("1");
      expect(response.status).toBe(200);
      expect(response.headers.get("docker-content-digest")).toBe(pushed.index.digest);
      expect(response.headers.get("warning")).toMatch(/^299 - "asked\.test .*: this is what it had at \d{4}-/);
    });

    test("finds what is new once the upstream is back", async () => {
      await upstream.restart();
      await pushImage(upstream.behind, repository, "2");
      const { digest } = await pushImage(upstream.behind, repository, "1");
      // What is not here is asked for at once; by that the mirror knows that the upstream is back.
      expect((await ask("2")).status).toBe(200);
      const moved = await ask("1");
      expect(moved.headers.get("docker-content-digest")).toBe(digest);
      expect(moved.headers.get("warning")).toBeNull();
    });
  });
});
