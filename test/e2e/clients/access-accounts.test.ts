import { expect, test } from "vitest";
import { addAccount, createToken, makePublic, seedImage } from "../support/access.ts";
import type { Credentials, Grant } from "../support/access.ts";
import { attemptLogIn, describeEachClient, logIn } from "../support/clients.ts";
import { fetchManifest, imageName, listTags, repositoryName } from "../support/registry.ts";

/** How clients say that they may not. */
const REFUSED = /unauthorized|denied/i;

describeEachClient("with a log-in", (client, newcomer) => {
  const names = (name: string) => repositoryName(`accounts/${client.name}/${name}`);
  const TEAM: Grant = [names("team/**"), "pull", "push"];

  async function loggedIn(who: Credentials) {
    const workspace = await newcomer();
    await logIn(client.name, workspace, who);
    return workspace;
  }

  test.for<[kind: string, create: () => Promise<Credentials>]>([
    ["an account", () => addAccount(TEAM)],
    ["an access token and any username", () => createToken(names("team/**"), "pull", "push")],
  ])("of %s pushes and pulls what its rules allow", async ([kind, create]) => {
    const who = await create();
    const repository = names(`team/${kind.replaceAll(" ", "-")}`);
    const image = imageName(repository, ":v1");
    const pushed = await client.push(await loggedIn(who), image);
    expect(pushed.code, pushed.stderr).toBe(0);

    const workspace = await loggedIn(who);
    const pulled = await client.pull(workspace, image);
    expect(pulled.code, pulled.stderr).toBe(0);
    expect(await client.pulledDigest(workspace, image)).toBe((await fetchManifest(repository, "v1")).digest);
  });

  test.for<[kind: string, create: () => Promise<Credentials>]>([
    ["an account", () => addAccount([names("team/*"), "pull"])],
    ["an access token", () => createToken(names("team/*"), "pull")],
  ])("of %s that may only pull pulls, and cannot push", async ([kind, create]) => {
    const repository = names(`team/${kind.replaceAll(" ", "-")}-that-pulls`);
    const digest = await seedImage(repository);
    const workspace = await loggedIn(await create());
    expect((await client.pull(workspace, imageName(repository, ":v1"))).code).toBe(0);
    expect(await client.pulledDigest(workspace, imageName(repository, ":v1"))).toBe(digest);

    const pushed = await client.push(workspace, imageName(repository, ":v2"));
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toMatch(REFUSED);
    expect(await listTags(repository)).toEqual(["v1"]);
  });

  test("of a token for some repositories can do nothing with others", async () => {
    const other = names("other/x");
    await seedImage(other);
    const workspace = await loggedIn(await createToken(names("team/*"), "pull", "push", "delete"));
    const outcomes = [
      await client.pull(workspace, imageName(other, ":v1")),
      await client.pull(workspace, imageName(names("team/too/deep"), ":v1")),
      await client.push(workspace, imageName(other, ":v2")),
      await client.push(workspace, imageName(names("other/new"), ":v1")),
    ];
    for (const { code, stderr } of outcomes) {
      expect(code).not.toBe(0);
      expect(stderr).toMatch(REFUSED);
    }
    expect(await listTags(other)).toEqual(["v1"]);
  });

  test("is not had with a wrong password, nor for an account that does not exist", async () => {
    const image = imageName(names("team/wrong"), ":v1");
    const { username } = await addAccount(TEAM);
    for (const name of [username, `no-${username}`]) {
      const workspace = await newcomer();
      const login = await attemptLogIn(client.name, workspace, { username: name, password: "a wrong password" });
      // crane keeps whatever it is given, and finds out when it uses it.
      const refused = client.name === "crane" ? await client.pull(workspace, image) : login;
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/unauthorized|invalid username\/password/i);
    }
  });

  if (client.listTags)
    test("lists the tags of repositories that it may pull, and of no others", async () => {
      const [mine, other] = [names("team/tags"), names("other/tags")];
      for (const repository of [mine, other]) await seedImage(repository);
      const workspace = await loggedIn(await addAccount(TEAM));
      const list = (repository: string) =>
        workspace.attempt(client.name, client.listTags?.(imageName(repository)) ?? []);
      expect((await list(mine)).stdout).toMatch(/\bv1\b/);
      const refused = await list(other);
      expect(refused.code).not.toBe(0);
      expect(refused.stdout).not.toMatch(/\bv1\b/);
      expect(refused.stderr).toMatch(REFUSED);
    });

  if (client.listRepositories)
    test("lists the repositories that it may pull, and no others", async () => {
      const repositories = ["team/a", "team/b/c", "open/d", "other/e"].map((name) => names(`catalog/${name}`));
      for (const repository of repositories) await seedImage(repository);
      await makePublic(names("catalog/open/d"));
      const workspace = await loggedIn(await addAccount([names("catalog/team/**"), "pull"]));
      const listed = (await workspace.run(client.name, client.listRepositories ?? [])).split("\n");
      expect(listed.filter((name) => repositories.includes(name))).toEqual(
        ["open/d", "team/a", "team/b/c"].map((name) => names(`catalog/${name}`)),
      );
    });
});
