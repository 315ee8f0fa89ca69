import { expect, test } from "vitest";
import { addAccount, makeTagsImmutable } from "../support/access.ts";
import { describeEachClient, logIn } from "../support/clients.ts";
import { fetchManifest, imageName, repositoryName } from "../support/registry.ts";

describeEachClient("with immutable tags", (client, newcomer) => {
  async function loggedIn(repository: string) {
    const workspace = await newcomer();
    await logIn(client.name, workspace, await addAccount([repository, "pull", "push"]));
    return workspace;
  }

  test("cannot push another image to a tag, and is told why", async () => {
    const repository = repositoryName(`immutable/${client.name}/release`);
    await makeTagsImmutable(repository);
    const workspace = await loggedIn(repository);
    const first = await client.push(workspace, imageName(repository, ":v1"));
    expect(first.code, first.stderr).toBe(0);
    const { digest } = await fetchManifest(repository, "v1");

    const second = await client.push(workspace, imageName(repository, ":v1"));
    expect(second.code).not.toBe(0);
    expect(second.stderr).toContain(`tag v1 is immutable, by the rule for ${repository}: it stays ${digest}`);
    expect((await fetchManifest(repository, "v1")).digest).toBe(digest);
    expect((await client.push(workspace, imageName(repository, ":v2"))).code).toBe(0);
  });

  test("moves a tag that is excepted", async () => {
    const repository = repositoryName(`immutable/${client.name}/dev`);
    await makeTagsImmutable(repository, "dev-*");
    const workspace = await loggedIn(repository);
    const digests = new Set<string>();
    for (let round = 0; round < 2; round += 1) {
      const outcome = await client.push(workspace, imageName(repository, ":dev-1"));
      expect(outcome.code, outcome.stderr).toBe(0);
      digests.add((await fetchManifest(repository, "dev-1")).digest);
    }
    expect(digests.size).toBe(2);
  });

  test("pushes the same image to the same tag again", async () => {
    const repository = repositoryName(`immutable/${client.name}/same`);
    await makeTagsImmutable(repository);
    const workspace = await loggedIn(repository);
    const image = imageName(repository, ":v1");
    const made = await client.make(workspace);
    const pushes = [await client.push(workspace, image, made), await client.push(workspace, image, made)];
    for (const { code, stderr } of pushes) expect(code, stderr).toBe(0);
  });
});
