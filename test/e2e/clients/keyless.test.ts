import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Background } from "../support/background.ts";
import { startDockerd } from "../support/dockerd.ts";
import { writeImageLayout } from "../support/images.ts";
import { type OidcProvider, startOidcProvider } from "../support/oidc-provider.ts";
import { fetchManifest, imageName, registry, repositoryName } from "../support/registry.ts";
import { tarOf } from "../support/tar.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

const PREFIX = repositoryName("ci");

describeWithTools("keyless CI", ["crane", "docker", "dockerd", "skopeo"], () => {
  let issuer: OidcProvider;
  let workspace: Workspace;

  beforeAll(async () => {
    [issuer, workspace] = await Promise.all([startOidcProvider(), createWorkspace()]);
    const conditions = { repository_owner: "octo-org", ref: "refs/heads/*" };
    await trust("github", conditions, [`${PREFIX}/\${repository}`]);
    await trust("gitlab", { namespace_path: "group", ref_protected: "true" }, [`${PREFIX}/\${project_path}/**`]);
  });

  afterAll(async () => {
    await Promise.all([issuer.close(), workspace.remove()]);
  });

  async function trust(name: string, claims: object, repositories: readonly string[]): Promise<void> {
    const rule = { issuer: issuer.issuer, audience: "stowage", claims, repositories, actions: ["pull", "push"] };
    const response = await fetch(`${registry.url}/api/trust`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${registry.username}:${registry.password}`)}` },
      body: JSON.stringify({ name: `${name}-${PREFIX.slice(4, 12)}`, ...rule }),
    });
    expect(response.status, await response.text()).toBe(201);
  }

  /** Logs in with a job's token, as the documentation says. */
  async function login(client: "crane" | "docker" | "skopeo", token: string): Promise<string> {
    const options = ["--username", "oidc", "--password-stdin"];
    const args = {
      crane: ["auth", "login", registry.host, ...options],
      docker: ["login", registry.host, ...options],
      skopeo: ["login", "--tls-verify=false", registry.host, ...options],
    }[client];
    const outcome = await workspace.attempt(client, args, { input: token });
    return outcome.code === 0 ? "logged in" : outcome.stderr + outcome.stdout;
  }

  const layout = async (name: string) => {
    const folder = workspace.path(name);
    const { digest } = await writeImageLayout(folder, "v1", { layers: ["file"] });
    return { folder, digest };
  };

  test.each(["RS256", "ES256"] as const)(
    "crane pushes where a GitHub job's %s token lets it, and nowhere else",
    async (algorithm) => {
      expect(await login("crane", await issuer.githubToken({}, algorithm))).toBe("logged in");
      const { folder, digest } = await layout(`github-${algorithm}`);
      const repository = `${PREFIX}/octo-org/octo-repo`;
      await workspace.run("crane", ["push", folder, imageName(repository, `:${algorithm}`)]);
      expect(await workspace.run("crane", ["digest", imageName(repository, `:${algorithm}`)])).toBe(digest);
      for (const other of [`${PREFIX}/octo-org/other`, `${PREFIX}/other/octo-repo`, repositoryName("elsewhere")]) {
        const outcome = await workspace.attempt("crane", ["push", folder, imageName(other, ":v1")]);
        expect(outcome.code).not.toBe(0);
        expect(outcome.stderr).toMatch(/unauthorized|denied/i);
      }
    },
  );

  test("skopeo pushes where a GitLab job's token lets it", async () => {
    expect(await login("skopeo", await issuer.gitlabToken())).toBe("logged in");
    const { folder, digest } = await layout("gitlab");
    const repository = `${PREFIX}/group/project/app`;
    const copy = (to: string) =>
      workspace.attempt("skopeo", [
        "copy",
        "--quiet",
        "--dest-tls-verify=false",
        `oci:${folder}:v1`,
        `docker://${imageName(to, ":v1")}`,
      ]);
    expect((await copy(repository)).code).toBe(0);
    expect((await fetchManifest(repository, "v1")).digest).toBe(digest);
    expect((await copy(`${PREFIX}/group/other/app`)).stderr).toMatch(/denied|unauthorized/i);
  });

  test("nobody logs in whose token no rule lets in", async () => {
    for (const token of [
      await issuer.githubToken({ repository_owner: "other-org" }),
      await issuer.githubToken({ ref: "refs/pull/1/merge" }),
      await issuer.githubToken({ aud: "elsewhere" }),
      await issuer.gitlabToken({ ref_protected: "false" }),
      "not.a.token",
    ]) {
      expect(await login("skopeo", token)).toMatch(/invalid username\/password|unauthorized/i);
    }
  });

  test("docker keeps a log-in instead of the job's token, which ends too soon for a long job", async () => {
    const daemon: Background = await startDockerd(workspace);
    try {
      expect(await login("docker", await issuer.githubToken())).toBe("logged in");
      const config = await readFile(workspace.path("home/.docker/config.json"), "utf8");
      const { auths } = JSON.parse(config) as { auths: Record<string, { auth: string; identitytoken?: string }> };
      const kept = auths[registry.host];
      expect(kept?.identitytoken).toBeTruthy();
      expect(Buffer.from(kept?.auth ?? "", "base64").toString()).toBe("oidc:");
      const image = imageName(`${PREFIX}/octo-org/octo-repo`, ":docker");
      const file = workspace.path("tmp/import.tar");
      await writeFile(file, tarOf("hello", "hello"));
      await workspace.run("docker", ["import", file, image]);
      expect(await workspace.run("docker", ["push", image])).toMatch(/digest: sha256:/);
    } finally {
      await daemon.stop();
    }
  });
});
