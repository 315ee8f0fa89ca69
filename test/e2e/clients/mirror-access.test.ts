import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addAccountAt, basicAuth, type Credentials, makePublic } from "../support/access.ts";
import { CLIENTS } from "../support/clients.ts";
import { machineOfGroup } from "../support/machine.ts";
import { startMirror } from "../support/mirror/mirror.ts";
import { pushImage } from "../support/mirror/pushing.ts";
import { UPSTREAM_READER } from "../support/mirror/token-service.ts";
import { startUpstream, UPSTREAM_TOOLS, type UpstreamRegistry } from "../support/mirror/upstream.ts";
import { type MirrorPlace, type Way, WAYS } from "../support/mirror/ways.ts";
import { type RunningRegistry, startRegistry } from "../support/server.ts";
import { describeWithTools } from "../support/tools.ts";
import type { Workspace } from "../support/workspace.ts";

const freshName = (group: string) => `${group}/app-${randomUUID()}`;

/** How clients say that something is not there for them. */
const REFUSED = /denied|unauthorized|not found|unknown|insufficient_scope|authentication required/i;

describeWithTools("mirror", UPSTREAM_TOOLS, () => {
  let upstream: UpstreamRegistry;
  let other: RunningRegistry;
  let mirror: RunningRegistry;

  beforeAll(async () => {
    [upstream, other] = await Promise.all([startUpstream(), startRegistry()]);
    const otherReader = await addAccountAt(other, ["team/*", "pull"]);
    const distribution = { url: upstream.gate.url };
    mirror = await startMirror(
      [
        { ...distribution, name: "docker.io", anonymous: true, root: true },
        { ...distribution, name: "closed.test", credentials: "UPSTREAM_CLOSED" },
        { ...distribution, name: "some.test", anonymous: true, repositories: ["library/some-*"] },
        { name: "stowage.test", url: other.url, credentials: "UPSTREAM_STOWAGE" },
        { name: "public.test", url: other.url, anonymous: true },
      ],
      { UPSTREAM_CLOSED: passwordOf(UPSTREAM_READER), UPSTREAM_STOWAGE: passwordOf(otherReader) },
    );
  });

  afterAll(async () => {
    await Promise.all([mirror.stop(), other.stop(), upstream.remove()]);
  });

  const at = (name: string): MirrorPlace => ({ host: mirror.host, upstream: name });

  function describeEachWay(ways: readonly Way[], body: (way: Way, newcomer: () => Promise<Workspace>) => void): void {
    for (const way of ways) {
      const { startDaemon, title, tools } = way;
      describeWithTools(title, tools, () => {
        body(way, machineOfGroup(startDaemon && (async (workspace) => await startDaemon(at("docker.io"))(workspace))));
      });
    }
  }

  describe("of an upstream that is open to all", () => {
    test("has nothing of what the upstream does not show to all", async () => {
      const repository = freshName("private");
      await pushImage(upstream.behind, repository, "1");
      const response = await fetch(`${mirror.url}/v2/docker.io/${repository}/manifests/1`);
      expect(response.status).toBe(404);
    });

    test("has nothing of repositories that it is not to mirror", async () => {
      const [allowed, other] = ["library/some-app", "library/another-app"];
      for (const repository of [allowed, other]) await pushImage(upstream.behind, repository, "1");
      const statusOf = async (repository: string) =>
        (await fetch(`${mirror.url}/v2/some.test/${repository}/manifests/1`)).status;
      expect(await statusOf(allowed)).toBe(200);
      upstream.gate.forget();
      expect(await statusOf(other)).not.toBe(200);
      expect(upstream.gate.requests).toEqual([]);
    });

    describeEachWay(
      WAYS.filter(({ title }) => title.includes("registry-mirrors") || title.includes("hosts.toml")),
      (way, newcomer) => {
        test("gives its own repository of the same name, where it is for all", async () => {
          const repository = freshName("library");
          const [ours, theirs] = [
            await pushImage(mirror, repository, "1"),
            await pushImage(upstream.behind, repository, "1"),
          ];
          const pull = async () => (await way.pull(await newcomer(), at("docker.io"), repository, ":1")).digest;
          expect(await pull()).toBe(theirs.digest);
          await makePublic(repository, mirror);
          expect(await pull()).toBe(ours.digest);
        });
      },
    );
  });

  describe("of an upstream that is not", () => {
    describeEachWay(
      // Docker logs in to no mirror.
      WAYS.filter(({ title }) => !title.includes("registry-mirrors")),
      (way, newcomer) => {
        test("gives who may have it what only the mirror's credentials open", async () => {
          const repository = freshName("private");
          const { digest } = await pushImage(upstream.behind, repository, "1");
          const [member, stranger] = [
            await addAccountAt(mirror, [`closed.test/${repository}`, "pull"]),
            await addAccountAt(mirror, ["elsewhere/**", "pull"]),
          ];
          const pull = async (who?: Credentials) => {
            const workspace = await newcomer();
            if (who) await keepLogin(workspace, mirror.host, who);
            return await way.pull(workspace, at("closed.test"), repository, ":1", who);
          };
          expect(await pull(member)).toMatchObject({ code: 0, digest });
          for (const who of [stranger, undefined]) {
            const refused = await pull(who);
            expect(refused.code).not.toBe(0);
            expect(refused.stderr).toMatch(REFUSED);
          }
        });
      },
    );
  });

  describe("of another Stowage", () => {
    test.for([
      { visibility: "private", name: "stowage.test" },
      { visibility: "public", name: "public.test" },
    ])("has its $visibility repositories", async ({ visibility, name }) => {
      const repository = freshName("team");
      const { digest } = await pushImage(other, repository, "1");
      if (visibility === "public") await makePublic(repository, other);
      const headers = { authorization: basicAuth(mirror) };
      const response = await fetch(`${mirror.url}/v2/${name}/${repository}/manifests/1`, { headers });
      expect(response.status).toBe(200);
      expect(response.headers.get("docker-content-digest")).toBe(digest);
    });
  });

  for (const client of CLIENTS) {
    describeWithTools(`and ${client.name} that pushes`, client.tools, () => {
      const newcomer = machineOfGroup(client.startDaemon);

      test("refuses what would be the upstream's, and says so", async () => {
        const workspace = await newcomer();
        await keepLogin(workspace, mirror.host, mirror);
        const repository = `docker.io/${freshName("library")}`;
        const outcome = await client.push(workspace, `${mirror.host}/${repository}:1`);
        expect(outcome.code).not.toBe(0);
        expect(outcome.stderr).toContain(`${repository} mirrors docker.io: push there, or under another name here`);
      });
    });
  }
});

const passwordOf = ({ username, password }: Credentials) => `${username}:${password}`;

/** Has a client find credentials where its own log-in would keep them. */
async function keepLogin(workspace: Workspace, host: string, who: Credentials): Promise<void> {
  const auth = Buffer.from(passwordOf(who)).toString("base64");
  const text = JSON.stringify({ auths: { [host]: { auth } } });
  await mkdir(workspace.path("home/.docker"), { recursive: true });
  for (const file of ["home/.docker/config.json", "home/auth.json"]) await writeFile(workspace.path(file), text);
}
