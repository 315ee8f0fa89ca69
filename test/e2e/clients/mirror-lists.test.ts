import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, type Credentials, makePublic } from "../support/access.ts";
import { CLIENTS } from "../support/clients.ts";
import { startMirror } from "../support/mirror/mirror.ts";
import { pushImage, type PushTarget } from "../support/mirror/pushing.ts";
import { startUpstream, UPSTREAM_TOOLS, type UpstreamRegistry } from "../support/mirror/upstream.ts";
import { registry, repositoryName } from "../support/registry.ts";
import type { RunningRegistry } from "../support/server.ts";
import { describeWithTools } from "../support/tools.ts";
import { workspaceOfTest } from "../support/workspace.ts";

const TYPE = "application/vnd.example.signature";

describeWithTools("lists of a mirror", [...UPSTREAM_TOOLS, "crane", "oras", "regctl"], () => {
  let upstream: UpstreamRegistry;
  let mirror: RunningRegistry;

  beforeAll(async () => {
    upstream = await startUpstream();
    mirror = await startMirror([
      { name: "distribution.test", url: upstream.behind.url, anonymous: true },
      { name: "stowage.test", url: registry.url, anonymous: true },
    ]);
  });

  afterAll(async () => {
    await mirror.stop();
    await upstream.remove();
  });

  test.for(CLIENTS.filter(({ name }) => ["skopeo", "crane", "oras", "regctl"].includes(name)))(
    "$name lists the tags that the upstream has",
    async ({ name, listTags }) => {
      const workspace = await workspaceOfTest();
      const repository = `library/app-${randomUUID()}`;
      for (const tag of ["1", "2"]) await pushImage(upstream.behind, repository, tag);
      if (name === "regctl") {
        await workspace.run(name, ["registry", "set", mirror.host, "--tls", "disabled", "--skip-check"]);
      }
      const address = `${mirror.host}/distribution.test/${repository}`;
      const listed = await workspace.run(name, listTags!(address));
      expect(listed.replace(address, "").match(/\b[12]\b/g)).toEqual(["1", "2"]);
    },
  );

  test("has pages of the tags of an upstream that has none", async () => {
    const repository = `library/app-${randomUUID()}`;
    for (const tag of ["a", "b", "c"]) await pushImage(upstream.behind, repository, tag);
    const pages: unknown[] = [];
    let path: string | undefined = `/v2/distribution.test/${repository}/tags/list?n=2`;
    while (path !== undefined) {
      const response: Response = await fetch(mirror.url + path);
      pages.push(((await response.json()) as { tags: unknown }).tags);
      path = /<([^>]+)>/.exec(response.headers.get("link") ?? "")?.[1];
      expect(pages.length).toBeLessThan(4);
    }
    expect(pages).toEqual([["a", "b"], ["c"]]);
  });

  /** Attaches a file to an image, and answers what refers to it. */
  async function attach(to: PushTarget, image: string): Promise<string> {
    const workspace = await workspaceOfTest();
    await writeFile(workspace.path("signature"), "of somebody");
    const attach = ["attach", "--plain-http", ...login(to), "--artifact-type", TYPE, "--format", "json", image];
    const attached = await workspace.run("oras", [...attach, "signature"], { cwd: workspace.path() });
    return (JSON.parse(attached) as { digest: string }).digest;
  }

  test.for([
    { kind: "that has the API", name: "stowage.test" },
    { kind: "that has none, but their tag", name: "distribution.test" },
  ])("oras discovers the referrers of an upstream $kind", async ({ name }) => {
    const to = name === "stowage.test" ? { ...ADMIN, host: registry.host } : upstream.behind;
    const repository = repositoryName("mirrored-referrers");
    const { digest } = await pushImage(to, repository, "1");
    const referrer = await attach(to, `${to.host}/${repository}@${digest}`);
    if (name === "stowage.test") await makePublic(repository);

    const workspace = await workspaceOfTest();
    const image = `${mirror.host}/${name}/${repository}@${digest}`;
    const discovered = await workspace.run("oras", ["discover", "--plain-http", "--format", "json", image]);
    expect(discovered).toContain(referrer);
    await workspace.run("oras", ["pull", "--plain-http", `${mirror.host}/${name}/${repository}@${referrer}`], {
      cwd: workspace.path(),
    });
  });
});

const login = ({ username, password }: Credentials) => ["--username", username, "--password", password];
