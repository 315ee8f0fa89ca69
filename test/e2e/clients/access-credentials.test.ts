import { describe, expect, test } from "vitest";
import { addAccount, createToken, makePublic, seedImage, revokeToken } from "../support/access.ts";
import type { Credentials } from "../support/access.ts";
import { logIn } from "../support/clients.ts";
import { startContainerd } from "../support/containerd.ts";
import { machineOfGroup } from "../support/machine.ts";
import { fetchManifest, imageName, manifestStatus, registry, repositoryName } from "../support/registry.ts";
import { describeWithTools } from "../support/tools.ts";
import type { Tool } from "../support/tools.ts";
import { workspaceOfTest } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

const pair = ({ username, password }: Credentials) => `${username}:${password}`;

describeWithTools("containerd, which is told who it is with each command,", ["containerd", "ctr"], () => {
  const newcomer = machineOfGroup(startContainerd);
  const names = (name: string) => repositoryName(`credentials/containerd/${name}`);

  const images = (workspace: Workspace, verb: string, image: string, who?: Credentials) =>
    workspace.attempt("ctr", ["images", verb, "--plain-http", ...(who ? ["--user", pair(who)] : []), image]);

  async function expectPulled(image: string, digest: string, who?: Credentials): Promise<void> {
    const workspace = await newcomer();
    const outcome = await images(workspace, "pull", image, who);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(await workspace.run("ctr", ["images", "list", `name==${image}`])).toContain(digest);
  }

  test("pulls from a public repository without --user", async () => {
    await makePublic(names("public/**"));
    const digest = await seedImage(names("public/a"));
    await expectPulled(imageName(names("public/a"), ":v1"), digest);
  });

  test("hears the same of a private repository as of one that does not exist", async () => {
    await seedImage(names("private"));
    const messages: string[] = [];
    for (const name of ["private", "missing"]) {
      const { code, stderr } = await images(await newcomer(), "pull", imageName(names(name), ":v1"));
      expect(code).not.toBe(0);
      messages.push(stderr.replaceAll(imageName(names(name)), "IMAGE"));
    }
    expect(messages[0]).toContain("pull access denied, repository does not exist or may require authorization");
    expect(messages[1]).toBe(messages[0]);
  });

  test.for<[kind: string, create: (repository: string) => Promise<Credentials>]>([
    ["an account", (repository) => addAccount([repository, "pull"])],
    ["an access token", (repository) => createToken(repository, "pull")],
  ])("pulls with the --user of %s, and cannot push with one that may only pull", async ([kind, create]) => {
    const repository = names(kind.replaceAll(" ", "-"));
    const digest = await seedImage(repository);
    const who = await create(repository);
    await expectPulled(imageName(repository, ":v1"), digest, who);

    const workspace = await newcomer();
    const copy = imageName(repository, ":v2");
    await workspace.run("ctr", ["images", "tag", imageName(repository, ":v1"), copy]);
    for (const credentials of [who, undefined]) {
      const refused = await images(workspace, "push", copy, credentials);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/authorization failed|closed pipe/);
      expect(await manifestStatus(repository, "v2")).toBe(404);
    }
  });

  test("is refused with a wrong password", async () => {
    const { username } = await addAccount();
    const image = imageName(names("wrong"), ":v1");
    const { code, stderr } = await images(await newcomer(), "pull", image, { username, password: "a wrong password" });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/failed to fetch oauth token: unexpected status: 401 Unauthorized/);
  });
});

/** Clients that read a manifest with credentials of just this command. */
const ONE_COMMAND: readonly [Tool, (image: string, who: Credentials) => readonly string[]][] = [
  ["skopeo", (image, who) => ["inspect", "--tls-verify=false", "--creds", pair(who), `docker://${image}`]],
  ["podman", (image, who) => ["pull", "--tls-verify=false", "--creds", pair(who), image]],
  ["buildah", (image, who) => ["pull", "--policy=always", "--tls-verify=false", "--creds", pair(who), image]],
  ["oras", (image, who) => ["resolve", "--plain-http", "--username", who.username, "--password", who.password, image]],
];

for (const [name, args] of ONE_COMMAND) {
  describeWithTools(`${name}, with an access token in the command,`, [name], () => {
    test("reads what the token is for, until it is revoked", async () => {
      const repository = repositoryName(`credentials/${name}`);
      await seedImage(repository);
      const token = await createToken(repository, "pull");
      const workspace = await workspaceOfTest();
      const outcome = await workspace.attempt(name, args(imageName(repository, ":v1"), token));
      expect(outcome.code, outcome.stderr).toBe(0);
      await revokeToken(token);
      const refused = await workspace.attempt(name, args(imageName(repository, ":v1"), token));
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/unauthorized|invalid username\/password/i);
    });
  });
}

describeWithTools("oras with an access token", ["oras"], () => {
  test("keeps it as its log-in, and copies with it", async () => {
    const [from, to] = [repositoryName("credentials/oras/from"), repositoryName("credentials/oras/to")];
    const digest = await seedImage(from);
    const workspace = await workspaceOfTest();
    const token = await createToken(repositoryName("credentials/oras/*"), "pull", "push");
    expect(await logIn("oras", workspace, token)).toContain("Login Succeeded");
    const images = [imageName(from, ":v1"), imageName(to, ":v1")];
    await workspace.run("oras", ["cp", "--from-plain-http", "--to-plain-http", ...images]);
    expect((await fetchManifest(to, "v1")).digest).toBe(digest);
  });
});

describeWithTools("plain curl", ["curl"], () => {
  async function curl(path: string, ...options: readonly string[]) {
    const workspace = await workspaceOfTest();
    const format = ["-sS", "-w", "\n%{http_code}", "-XGET"];
    const output = await workspace.run("curl", [...format, ...options, `${registry.url}/v2/${path}`]);
    const [body = "", status] = output.split("\n");
    return { status: Number(status), body: JSON.parse(body) as { tags?: string[]; errors?: { code: string }[] } };
  }

  test("lists the tags of a public repository, with nothing more than the address", async () => {
    const repository = repositoryName("credentials/curl/public");
    await makePublic(repository);
    await seedImage(repository);
    expect(await curl(`${repository}/tags/list`)).toEqual({ status: 200, body: { name: repository, tags: ["v1"] } });
  });

  test("takes an access token as a bearer, and as a password", async () => {
    const [mine, other] = [repositoryName("credentials/curl/mine"), repositoryName("credentials/curl/other")];
    for (const repository of [mine, other]) await seedImage(repository);
    const token = await createToken(mine, "pull");
    const ways = [
      ["-H", `Authorization: Bearer ${token.password}`],
      ["-u", pair(token)],
    ];
    for (const way of ways) {
      expect((await curl(`${mine}/tags/list`, ...way)).body.tags).toEqual(["v1"]);
      expect(await curl(`${other}/tags/list`, ...way)).toMatchObject({
        status: 403,
        body: { errors: [{ code: "DENIED" }] },
      });
    }
    await revokeToken(token);
    for (const way of ways) expect((await curl(`${mine}/tags/list`, ...way)).status).toBe(401);
  });

  describe("without credentials", () => {
    test("is asked for some, by the same words for a private repository as for none", async () => {
      const [closed, missing] = [repositoryName("credentials/curl/closed"), repositoryName("credentials/curl/none")];
      await seedImage(closed);
      const answers = await Promise.all(
        [closed, missing].map(async (repository) =>
          JSON.stringify(await curl(`${repository}/tags/list`)).replaceAll(repository, "NAME"),
        ),
      );
      expect(answers[0]).toContain('"status":401');
      expect(answers[1]).toBe(answers[0]);
    });
  });
});
