import { expect, test } from "vitest";
import { makePublic, seedImage } from "../support/access.ts";
import { describeEachClient } from "../support/clients.ts";
import { imageName, manifestStatus, repositoryName } from "../support/registry.ts";
import type { Outcome } from "../support/run.ts";

/** How each client says that it may not pull. */
const REFUSED = {
  docker: /: pull access denied for IMAGE, repository does not exist or may require 'docker login': denied: /,
  podman: /denied: requested access to the resource is denied\nunauthorized: authentication required/,
  buildah: /denied: requested access to the resource is denied\nunauthorized: authentication required/,
  skopeo: /denied: requested access to the resource is denied\\nunauthorized: authentication required/,
  crane: /UNAUTHORIZED: authentication required/,
  oras: /unauthorized: authentication required/,
  regctl: /unauthorized$/m,
} as const;

describeEachClient("without a login", (client, newcomer) => {
  const names = (name: string) => repositoryName(`anonymous/${client.name}/${name}`);

  test.for([
    { how: "itself", repository: "open", made: "open" },
    { how: "by a pattern", repository: "public/deep/down", made: "public/**" },
  ])("pulls an image of a repository that is public $how", async ({ repository, made }) => {
    const workspace = await newcomer();
    await makePublic(names(made));
    const digest = await seedImage(names(repository));
    const image = imageName(names(repository), ":v1");
    const outcome = await client.pull(workspace, image);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(await client.pulledDigest(workspace, image)).toBe(digest);
  });

  test("is told the same of a private repository as of one that does not exist", async () => {
    const workspace = await newcomer();
    await seedImage(names("private"));
    const messages: string[] = [];
    for (const repository of ["private", "missing"]) {
      const outcome = await client.pull(workspace, imageName(names(repository), ":v1"));
      expect(outcome.code).not.toBe(0);
      messages.push(messageOf(outcome, names(repository)));
    }
    expect(messages[0]).toMatch(REFUSED[client.name]);
    expect(messages[1]).toBe(messages[0]);
  });

  test("cannot push to a public repository", async () => {
    const repository = names("read-only");
    const workspace = await newcomer();
    await makePublic(repository);
    await seedImage(repository);
    const outcome = await client.push(workspace, imageName(repository, ":v2"));
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(/unauthorized|denied/i);
    expect(await manifestStatus(repository, "v2")).toBe(404);
  });
});

/** What a client said, without the name of the repository and the time. */
function messageOf({ stderr }: Outcome, repository: string): string {
  return stderr
    .replaceAll(imageName(repository), "IMAGE")
    .replaceAll(repository, "REPOSITORY")
    .replaceAll(/\d{4}[-/]\d\d[-/]\d\d[T ][\d:.]+Z?/g, "TIME")
    .trim();
}
