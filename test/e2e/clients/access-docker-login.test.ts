import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { addAccount, changePassword, createToken, seedImage, revokeToken } from "../support/access.ts";
import type { Credentials } from "../support/access.ts";
import { attemptLogIn, CLIENTS, logIn } from "../support/clients.ts";
import { startDockerd } from "../support/dockerd.ts";
import { machineOfGroup } from "../support/machine.ts";
import { fetchManifest, imageName, registry, repositoryName } from "../support/registry.ts";
import { describeWithTools } from "../support/tools.ts";
import type { Workspace } from "../support/workspace.ts";

interface DockerConfig {
  readonly auths: Readonly<Record<string, { readonly auth: string; readonly identitytoken?: string }>>;
}

const ENDED = /unauthorized: the log-in has expired or was revoked: log in again/;

const [docker] = CLIENTS.filter(({ name }) => name === "docker");
const others = CLIENTS.filter(({ name }) => name !== "docker");

describeWithTools("docker login", ["docker", "dockerd"], () => {
  const newcomer = machineOfGroup(startDockerd);

  async function loggedIn(who: Credentials): Promise<Workspace> {
    const workspace = await newcomer();
    expect(await logIn("docker", workspace, who)).toContain("Login Succeeded");
    return workspace;
  }

  /** What docker keeps of its log-in. */
  async function keptBy(workspace: Workspace) {
    const config = JSON.parse(await readFile(workspace.path("home/.docker/config.json"), "utf8")) as DockerConfig;
    return config.auths[registry.host];
  }

  /** Pulls what is not on the machine. */
  async function pull(workspace: Workspace, image: string) {
    await workspace.attempt("docker", ["image", "rm", "--force", image]);
    return await workspace.attempt("docker", ["pull", image]);
  }

  test("with a wrong password says so", async () => {
    const { username } = await addAccount();
    const workspace = await newcomer();
    const refused = await attemptLogIn("docker", workspace, { username, password: "a wrong password" });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/unauthorized: wrong username or password/);
    const token = await createToken("team/*", "pull");
    const misread = await attemptLogIn("docker", workspace, { ...token, password: token.password.replace(/.$/, "x") });
    expect(misread.code).not.toBe(0);
    expect(misread.stderr).toMatch(/unauthorized: the access token is wrong, has expired or was revoked/);
  });

  test("keeps no password, and what it keeps goes on pushing and pulling", async () => {
    const repository = repositoryName("docker-login/kept");
    const image = imageName(repository, ":v1");
    const account = await addAccount([repository, "pull", "push"]);
    const workspace = await loggedIn(account);
    const kept = await keptBy(workspace);
    expect(kept?.identitytoken).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(Buffer.from(kept?.auth ?? "", "base64").toString()).toBe(`${account.username}:`);

    const pushed = await docker?.push(workspace, image);
    expect(pushed?.code, pushed?.stderr).toBe(0);
    expect((await pull(workspace, image)).code).toBe(0);
    expect(await docker?.pulledDigest(workspace, image)).toBe((await fetchManifest(repository, "v1")).digest);
  });

  test("ends with docker logout", async () => {
    const repository = repositoryName("docker-login/logout");
    const image = imageName(repository, ":v1");
    await seedImage(repository);
    const workspace = await loggedIn(await addAccount([repository, "pull"]));
    expect((await pull(workspace, image)).code).toBe(0);
    await workspace.run("docker", ["logout", registry.host]);
    expect(await keptBy(workspace)).toBeUndefined();
    const refused = await pull(workspace, image);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/pull access denied/);
  });

  test("of an account ends when its password changes", async () => {
    const repository = repositoryName("docker-login/password");
    const image = imageName(repository, ":v1");
    await seedImage(repository);
    const account = await addAccount([repository, "pull", "push"]);
    const workspace = await loggedIn(account);
    expect((await pull(workspace, image)).code).toBe(0);

    const changed = await changePassword(account);
    const refused = await pull(workspace, image);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(ENDED);
    expect((await docker?.push(workspace, image))?.stderr).toMatch(ENDED);
    expect((await attemptLogIn("docker", workspace, account)).code).not.toBe(0);
    await logIn("docker", workspace, changed);
    expect((await pull(workspace, image)).code).toBe(0);
  });

  test("with an access token ends when that is revoked", async () => {
    const repository = repositoryName("docker-login/revoked");
    const image = imageName(repository, ":v1");
    await seedImage(repository);
    const token = await createToken(repository, "pull");
    const workspace = await loggedIn(token);
    expect((await pull(workspace, image)).code).toBe(0);

    await revokeToken(token);
    const refused = await pull(workspace, image);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(ENDED);
    expect((await attemptLogIn("docker", workspace, token)).code).not.toBe(0);
  });

  for (const client of others) {
    describeWithTools(`serves ${client.name}`, client.tools, () => {
      test("which finds what docker kept, and ends for it too", async () => {
        const repository = repositoryName(`docker-login/${client.name}`);
        const image = imageName(repository, ":v1");
        const token = await createToken(repository, "pull", "push");
        const pushed = await client.push(await loggedIn(token), image);
        expect(pushed.code, pushed.stderr).toBe(0);
        const workspace = await loggedIn(token);
        const pulled = await client.pull(workspace, image);
        expect(pulled.code, pulled.stderr).toBe(0);
        expect(await client.pulledDigest(workspace, image)).toBe((await fetchManifest(repository, "v1")).digest);

        await revokeToken(token);
        expect((await client.pull(workspace, image)).code).not.toBe(0);
      });
    });
  }
});
