import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, type TestContext } from "vitest";
import * as faults from "../support/mirror/faults.ts";
import { type Gate, openGate } from "../support/mirror/gate.ts";
import { startMirror } from "../support/mirror/mirror.ts";
import { pushImage } from "../support/mirror/pushing.ts";
import { UPSTREAM_READER } from "../support/mirror/token-service.ts";
import { startUpstream, UPSTREAM_TOOLS, type UpstreamRegistry } from "../support/mirror/upstream.ts";
import { byPath } from "../support/mirror/ways.ts";
import { type ManifestContent, MANIFEST_TYPES } from "../support/registry.ts";
import type { RunningRegistry } from "../support/server.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";

const RETRY_AFTER_SECONDS = 8;

const OUT_OF_ORDER = [
  { title: "does not answer", fault: faults.stall },
  { title: "has had enough", fault: faults.answerWith(429) },
  { title: "has had enough for now", fault: faults.answerWith(429, { "retry-after": `${RETRY_AFTER_SECONDS}` }) },
  { title: "answers 500", fault: faults.answerWith(500) },
  { title: "answers 503", fault: faults.answerWith(503) },
  { title: "hangs up", fault: faults.hangUp },
  { title: "redirects in circles", fault: faults.redirectInCircles },
  { title: "redirects to what is no registry", fault: faults.answerWith(307, { location: "ftp://127.0.0.1/v2/" }) },
];

const CLIENTS = ["skopeo", "crane"] as const;

const BROKEN_BLOBS = [
  // Half a minute, for each client.
  { title: "fall silent", fault: faults.stallMidway, clients: ["skopeo"] },
  { title: "break off", fault: faults.truncate, clients: CLIENTS },
  { title: "have a wrong byte", fault: faults.corrupt, clients: CLIENTS },
] as const;

/** One put, and several parts. */
const LAYERS = { layers: [{ randomBytes: 1_000_000 }, { randomBytes: 15_000_000 }] };

const FRESHNESS_MS = 4_000;

describeWithTools("mirror of a faulty upstream", [...UPSTREAM_TOOLS, ...CLIENTS], () => {
  const titles = [...OUT_OF_ORDER, ...BROKEN_BLOBS].map(({ title }) => title);
  const names = new Map([...titles, "redirects", "moves"].map((title, index) => [title, `up-${index}.test`]));
  const gates = new Map<string, Gate>();
  let upstream: UpstreamRegistry;
  let storage: Gate;
  let mirror: RunningRegistry;

  beforeAll(async () => {
    upstream = await startUpstream();
    storage = await openGate(upstream.behind.url);
    for (const title of names.keys()) gates.set(title, await openGate(upstream.behind.url));
    const settings = [...names].map(([title, name]) => ({
      ...{ name, url: gates.get(title)!.url, anonymous: true, credentials: "UPSTREAM_READER" },
      freshness: title === "moves" ? `${FRESHNESS_MS / 1000}s` : "0s",
    }));
    const { username, password } = UPSTREAM_READER;
    mirror = await startMirror(settings, { UPSTREAM_READER: `${username}:${password}` });
  });

  afterAll(async () => {
    await mirror.stop();
    for (const gate of [...gates.values(), storage]) await gate.close();
    await upstream.remove();
  });

  /** The upstream of a test, by its title: each has one, since the mirror remembers which are out of order. */
  function upstreamFor(title: string, { onTestFinished }: TestContext) {
    const [gate, name] = [gates.get(title)!, names.get(title)!];
    const repository = `private/app-${randomUUID()}`;
    return {
      ...{ gate, repository },
      pull: async (client: (typeof CLIENTS)[number], reference: string) => {
        const workspace = await createWorkspace();
        onTestFinished(async () => await workspace.remove());
        return await byPath(client).pull(workspace, { host: mirror.host, upstream: name }, repository, reference);
      },
      getManifest: async (reference: string) =>
        await fetch(`${mirror.url}/v2/${name}/${repository}/manifests/${reference}`, {
          headers: { accept: MANIFEST_TYPES.ociManifest },
        }),
    };
  }

  describe.concurrent("whose blobs", () => {
    test.for(BROKEN_BLOBS)("$title are neither taken nor kept", async ({ title, fault, clients }, context) => {
      const { gate, repository, pull, getManifest } = upstreamFor(title, context);
      const { digest } = await pushImage(upstream.behind, repository, "1", LAYERS);
      const { layers = [] } = (await (await getManifest("1")).json()) as ManifestContent;
      const isLayer = new RegExp(layers.map((layer) => layer.digest).join("|"));
      gate.misbehave("GET", isLayer, fault);
      for (const { code } of await Promise.all(clients.map(async (client) => await pull(client, ":1")))) {
        expect(code).not.toBe(0);
      }

      gate.behave();
      gate.forget();
      expect(await pull("crane", ":1")).toMatchObject({ code: 0, digest });
      expect(gate.requests.filter(({ method, path }) => method === "GET" && isLayer.test(path))).toHaveLength(2);
    });
  });

  describe.concurrent("that for manifests", () => {
    test.for(OUT_OF_ORDER)("$title is spared, and what it had is served", async ({ title, fault }, context) => {
      const { gate, repository, pull, getManifest } = upstreamFor(title, context);
      const old = await pushImage(upstream.behind, repository, "1");
      expect((await pull("skopeo", ":1")).digest).toBe(old.digest);

      const moved = await pushImage(upstream.behind, repository, "1");
      gate.misbehave("*", /\/manifests\//, fault);
      const pulled = await pull("skopeo", ":1");
      expect(pulled.code, pulled.stderr).toBe(0);
      expect(pulled.digest).toBe(old.digest);
      gate.forget();
      const response = await getManifest("1");
      expect(response.headers.get("docker-content-digest")).toBe(old.digest);
      expect(response.headers.get("warning")).toMatch(/^299 - "up-\d+\.test .*: this is what it had at \d{4}-/);
      expect(gate.requests).toEqual([]);

      gate.behave();
      if (title.endsWith("for now")) {
        await sleep(RETRY_AFTER_SECONDS * 1_000);
      } else {
        await pushImage(upstream.behind, repository, "2");
        expect((await pull("skopeo", ":2")).code).toBe(0);
      }
      expect((await pull("skopeo", ":1")).digest).toBe(moved.digest);
    });
  });

  describe.concurrent("that", () => {
    test("redirects to its storage gives that no credentials", async (context) => {
      const { gate, repository, pull } = upstreamFor("redirects", context);
      gate.misbehave("GET", /\/blobs\//, faults.redirectTo(storage));
      const { digest } = await pushImage(upstream.behind, repository, "1", LAYERS);
      expect(await pull("crane", ":1")).toMatchObject({ code: 0, digest });
      expect(storage.requests).toHaveLength(3);
      expect(storage.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
      expect(gate.requests.filter(({ authorization }) => authorization?.startsWith("Bearer ")).length).toBeGreaterThan(
        3,
      );
    });

    test("moves a tag is seen to have done so when that is no more fresh", async (context) => {
      const { gate, repository, pull } = upstreamFor("moves", context);
      const old = await pushImage(upstream.behind, repository, "1");
      await pull("skopeo", ":1");
      const moved = await pushImage(upstream.behind, repository, "1");
      gate.forget();
      expect((await pull("skopeo", ":1")).digest).toBe(old.digest);
      expect(gate.requests).toEqual([]);
      await sleep(FRESHNESS_MS);
      expect((await pull("skopeo", ":1")).digest).toBe(moved.digest);
    });
  });
});
