import { describe, expect, test } from "vitest";
import { addAccount, basicAuth, createToken, seedImage } from "../support/access.ts";
import type { Credentials } from "../support/access.ts";
import { logIn } from "../support/clients.ts";
import type { ClientName } from "../support/clients.ts";
import { startContainerd } from "../support/containerd.ts";
import { startDockerd } from "../support/dockerd.ts";
import { machineOfGroup } from "../support/machine.ts";
import type { DaemonStart } from "../support/machine.ts";
import { fetchManifest, imageName, manifestStatus, registry, repositoryName } from "../support/registry.ts";
import { describeWithTools } from "../support/tools.ts";
import type { Tool } from "../support/tools.ts";
import { workspaceOfTest } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

/** From where to where an image goes, who pulls it there, and who pushes it here. */
interface Move {
  readonly from: string;
  readonly to: string;
  readonly puller: Credentials;
  readonly pusher: Credentials;
}

/** Whether the layers were linked by the registry, or sent to it. */
type Way = "mounted" | "uploaded";

/** A client that remembers where it has a layer from, and asks the registry to mount it from there. */
interface Rememberer {
  readonly name: string;
  readonly tools: readonly Tool[];
  readonly startDaemon?: DaemonStart;
  readonly move: (workspace: Workspace, move: Move) => Promise<Way>;
}

const docker: Rememberer = {
  name: "docker",
  tools: ["docker", "dockerd"],
  startDaemon: startDockerd,
  move: async (workspace, { from, to, puller, pusher }) => {
    await logIn("docker", workspace, puller);
    await workspace.run("docker", ["pull", imageName(from, ":v1")]);
    await logIn("docker", workspace, pusher);
    await workspace.run("docker", ["tag", imageName(from, ":v1"), imageName(to, ":v1")]);
    const output = await workspace.run("docker", ["push", imageName(to, ":v1")]);
    expect(output).toMatch(/: (Mounted from|Pushed)/);
    return output.includes(`: Mounted from ${from}`) ? "mounted" : "uploaded";
  },
};

const skopeo: Rememberer = {
  name: "skopeo",
  tools: ["skopeo"],
  move: async (workspace, { from, to, puller, pusher }) => {
    const layout = `oci:${workspace.path("layout")}:v1`;
    await logIn("skopeo", workspace, puller);
    await workspace.run("skopeo", ["copy", "--src-tls-verify=false", `docker://${imageName(from, ":v1")}`, layout]);
    await logIn("skopeo", workspace, pusher);
    const copy = ["--debug", "copy", "--dest-tls-verify=false", layout, `docker://${imageName(to, ":v1")}`];
    const { code, stderr } = await workspace.attempt("skopeo", copy);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(new RegExp(`Trying to reuse cached location .* in ${imageName(from)}`));
    return stderr.includes("mount OK") ? "mounted" : "uploaded";
  },
};

const ctr: Rememberer = {
  name: "containerd",
  tools: ["containerd", "ctr"],
  startDaemon: startContainerd,
  move: async (workspace, { from, to, puller, pusher }) => {
    const images = (verb: string, who: Credentials, ...args: string[]) =>
      workspace.run("ctr", ["images", verb, "--plain-http", "--user", `${who.username}:${who.password}`, ...args]);
    await images("pull", puller, imageName(from, ":v1"));
    await workspace.run("ctr", ["images", "tag", imageName(from, ":v1"), imageName(to, ":v1")]);
    const push = ["--plain-http", "--user", `${pusher.username}:${pusher.password}`, "--http-dump"];
    const dump = await workspace.attempt("ctr", ["images", "push", ...push, imageName(to, ":v1")]);
    expect(dump.code, dump.stderr).toBe(0);
    const output = dump.stdout + dump.stderr;
    expect(output).toMatch(new RegExp(`POST /v2/${to}/blobs/uploads/\\?mount=sha256:[0-9a-f]+&from=${from} `));
    return /(PATCH|PUT) \/v2\/\S+\/blobs\//.test(output) ? "uploaded" : "mounted";
  },
};

for (const { name, tools, startDaemon, move } of [docker, skopeo, ctr]) {
  describeWithTools(`${name} pushes layers of another repository`, tools, () => {
    const newcomer = machineOfGroup(startDaemon);

    test.for<[way: Way, where: string, rights: "with" | "without"]>([
      ["mounted", "may pull", "with"],
      ["uploaded", "may not pull", "without"],
    ])("%s where the account %s from there", async ([way, , rights]) => {
      const [from, to] = [repositoryName(`mounts/${name}/from-${rights}`), repositoryName(`mounts/${name}/${rights}`)];
      await seedImage(from);
      const puller = await addAccount([from, "pull"]);
      const leave = rights === "with" ? ([[from, "pull"]] as const) : [];
      const pusher = await addAccount([to, "pull", "push"], ...leave);
      expect(await move(await newcomer(), { from, to, puller, pusher })).toBe(way);
      // The configuration, which names the layers, tells that it is the same image. Docker writes a manifest of its own.
      const [sent, arrived] = [await fetchManifest(from, "v1"), await fetchManifest(to, "v1")];
      expect(arrived.content.config?.digest).toBe(sent.content.config?.digest);
    });
  });
}

/** Clients that copy between repositories, how they do it, and how they say that they mounted. */
const COPIERS: readonly { name: ClientName & Tool; copy: readonly string[]; mounted: RegExp }[] = [
  { name: "crane", copy: ["copy"], mounted: /mounted blob: sha256:/g },
  { name: "oras", copy: ["cp", "--from-plain-http", "--to-plain-http", "--no-tty"], mounted: /^Mounted /gm },
  { name: "regctl", copy: ["image", "copy", "-v", "debug"], mounted: /server side with registry mount/g },
];

for (const { name, copy, mounted } of COPIERS) {
  describeWithTools(`${name} copies an image`, [name], () => {
    test("by mounting, from a repository that the account may pull, and not at all from another", async () => {
      const names = ["open", "closed", "to"].map((part) => repositoryName(`mounts/${name}/${part}`));
      const [open = "", closed = "", to = ""] = names;
      const digest = await seedImage(open);
      await seedImage(closed);
      const workspace = await workspaceOfTest();
      await logIn(name, workspace, await addAccount([open, "pull"], [to, "pull", "push"]));

      const copied = await workspace.attempt(name, [...copy, imageName(open, ":v1"), imageName(to, ":v1")]);
      expect(copied.code, copied.stderr).toBe(0);
      // The layer and the configuration.
      expect((copied.stdout + copied.stderr).match(mounted)).toHaveLength(2);
      expect((await fetchManifest(to, "v1")).digest).toBe(digest);

      const refused = await workspace.attempt(name, [...copy, imageName(closed, ":v1"), imageName(to, ":v2")]);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/unauthorized/i);
      expect(await manifestStatus(to, "v2")).toBe(404);
    });
  });
}

describe("a mount by hand", () => {
  test("does not tell whether a repository that one may not pull holds a blob", async () => {
    const [closed, to] = [repositoryName("mounts/hand/closed"), repositoryName("mounts/hand/to")];
    await seedImage(closed);
    const held = (await fetchManifest(closed, "v1")).content.layers?.[0]?.digest ?? "";
    const missing = `sha256:${"0".repeat(64)}`;
    const authorization = basicAuth(await createToken(to, "pull", "push"));
    const request = (method: string, path: string) =>
      fetch(`${registry.url}/v2/${to}/blobs/${path}`, { method, headers: { authorization } });
    for (const digest of [held, missing]) {
      for (const from of [`&from=${closed}`, `&from=${repositoryName("mounts/hand/none")}`, ""]) {
        expect((await request("POST", `uploads/?mount=${digest}${from}`)).status).toBe(202);
      }
      expect((await request("HEAD", digest)).status).toBe(404);
    }
  });
});
