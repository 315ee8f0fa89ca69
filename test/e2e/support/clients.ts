import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Credentials } from "./access.ts";
import { startDockerd } from "./dockerd.ts";
import { writeImageLayout } from "./images.ts";
import { machineOfGroup } from "./machine.ts";
import type { DaemonStart } from "./machine.ts";
import { registry } from "./registry.ts";
import type { ManifestContent } from "./registry.ts";
import type { Outcome } from "./run.ts";
import { tarOf } from "./tar.ts";
import { describeWithTools } from "./tools.ts";
import type { Tool } from "./tools.ts";
import type { Workspace } from "./workspace.ts";

const NO_TLS = "--tls-verify=false";
const PLAIN_HTTP = "--plain-http";

/** What the clients have in common, so that one test is for all of them. Each call leaves it to the test how it ends. */
export interface Client {
  readonly name: ClientName;
  readonly tools: readonly Tool[];
  readonly startDaemon?: DaemonStart;
  /** Makes an image like no other, and answers what the client calls it. */
  readonly make: (workspace: Workspace) => Promise<string>;
  /** Pushes an image that was made: a new one, if none is given. */
  readonly push: (workspace: Workspace, image: string, made?: string) => Promise<Outcome>;
  readonly pull: (workspace: Workspace, image: string) => Promise<Outcome>;
  /** The digest of an image that was pulled, by what the client kept of it. */
  readonly pulledDigest: (workspace: Workspace, image: string) => Promise<string | undefined>;
  /** Arguments that list the tags of a repository. */
  readonly listTags?: (repository: string) => readonly string[];
  /** Arguments that list the repositories of the registry. */
  readonly listRepositories?: readonly string[];
}

export type ClientName = "docker" | "podman" | "buildah" | "skopeo" | "crane" | "oras" | "regctl";

const user = ({ username }: Credentials) => ["--username", username, "--password-stdin"];

/** Arguments that log in, with the password on standard input. */
const LOG_IN: Readonly<Record<ClientName, (who: Credentials) => readonly string[]>> = {
  docker: (who) => ["login", ...user(who), registry.host],
  podman: (who) => ["login", NO_TLS, ...user(who), registry.host],
  buildah: (who) => ["login", NO_TLS, ...user(who), registry.host],
  skopeo: (who) => ["login", NO_TLS, ...user(who), registry.host],
  crane: (who) => ["auth", "login", registry.host, ...user(who)],
  oras: (who) => ["login", PLAIN_HTTP, ...user(who), registry.host],
  regctl: ({ username }) => ["registry", "login", registry.host, "--user", username, "--pass-stdin"],
};

/** Tries to log a client in: as the admin, unless it is told otherwise. */
export async function attemptLogIn(
  client: ClientName,
  workspace: Workspace,
  who: Partial<Credentials> = {},
): Promise<Outcome> {
  const credentials = { ...registry, ...who };
  await allowPlainHttp(client, workspace, registry.host);
  return await workspace.attempt(client, LOG_IN[client](credentials), { input: credentials.password });
}

/** {@link attemptLogIn} that must succeed; what the client says. */
export async function logIn(client: ClientName, workspace: Workspace, who?: Partial<Credentials>): Promise<string> {
  const { code, stdout, stderr } = await attemptLogIn(client, workspace, who);
  expect(code, `${client}: ${stderr}`).toBe(0);
  return stdout;
}

/** regctl wants to be told once; the others are with each command, or take it for granted on this machine. */
async function allowPlainHttp(client: ClientName, workspace: Workspace, host: string): Promise<void> {
  if (client !== "regctl") return;
  await workspace.run("regctl", ["registry", "set", host, "--tls", "disabled", "--skip-check"]);
}

/** The host in the name of an image. */
function hostOf(image: string): string {
  return image.split("/", 1).join("");
}

/** Makes a layout of an image, and answers its folder in the workspace. */
async function makeLayout(workspace: Workspace): Promise<string> {
  const name = `layout-${randomUUID()}`;
  await writeImageLayout(workspace.path(name), "v1", { layers: ["file"] });
  return name;
}

const docker: Client = {
  name: "docker",
  tools: ["docker", "dockerd"],
  startDaemon: startDockerd,
  make: async (workspace) => {
    const name = `made:${randomUUID()}`;
    await writeFile(workspace.path("tmp/import.tar"), tarOf("hello", name));
    await workspace.run("docker", ["import", workspace.path("tmp/import.tar"), name]);
    return name;
  },
  push: async (workspace, image, made) => {
    const source = made ?? (await docker.make(workspace));
    await workspace.run("docker", ["tag", source, image]);
    const outcome = await workspace.attempt("docker", ["push", image]);
    // So that a pull has to fetch it.
    await workspace.run("docker", ["image", "rm", image, ...(made === undefined ? [source] : [])]);
    return outcome;
  },
  pull: (workspace, image) => workspace.attempt("docker", ["pull", image]),
  pulledDigest: async (workspace, image) => {
    const format = ["--format", "{{range .RepoDigests}}{{println .}}{{end}}"];
    const names = (await workspace.run("docker", ["image", "inspect", ...format, image])).split("\n");
    return names.map((name) => name.split("@")).find(([repository = ""]) => image.startsWith(`${repository}:`))?.[1];
  },
};

/** Podman and buildah, which keep images in a store; each workspace has one. */
function storing(name: "podman" | "buildah", pull: readonly string[], inspect: readonly string[]): Client {
  const make = async (workspace: Workspace): Promise<string> => {
    // A relative path: they name the image after it, and image names are lower case.
    const layout = ["pull", "--quiet", `oci:${await makeLayout(workspace)}:v1`];
    return await workspace.run(name, layout, { cwd: workspace.path() });
  };
  return {
    name,
    tools: [name],
    make,
    push: async (workspace, image, made) => {
      const id = made ?? (await make(workspace));
      return await workspace.attempt(name, ["push", "--quiet", NO_TLS, id, `docker://${image}`]);
    },
    pull: (workspace, image) => workspace.attempt(name, [...pull, "--quiet", NO_TLS, image]),
    pulledDigest: (workspace, image) => workspace.run(name, [...inspect, image]),
  };
}

const podman: Client = {
  ...storing("podman", ["pull"], ["image", "inspect", "--format", "{{.Digest}}"]),
  listTags: (repository) => ["search", NO_TLS, "--list-tags", "--format", "{{.Tag}}", repository],
};

const buildah = storing(
  "buildah",
  ["pull", "--policy", "always"],
  ["inspect", "--type", "image", "--format", "{{.FromImageDigest}}"],
);

/** Clients that copy between the registry and a layout in a folder. */
interface Copying extends Pick<Client, "listTags" | "listRepositories"> {
  readonly push: (layout: string, image: string) => readonly string[];
  readonly pull: (image: string, layout: string) => readonly string[];
}

const PULLED = "pulled";

function copying(name: ClientName & Tool, { push, pull, ...lists }: Copying): Client {
  return {
    name,
    tools: [name],
    make: makeLayout,
    push: async (workspace, image, made) => {
      await allowPlainHttp(name, workspace, hostOf(image));
      const layout = workspace.path(made ?? (await makeLayout(workspace)));
      return await workspace.attempt(name, push(layout, image));
    },
    pull: async (workspace, image) => {
      await allowPlainHttp(name, workspace, hostOf(image));
      await workspace.run("rm", ["-rf", workspace.path(PULLED)]);
      return await workspace.attempt(name, pull(image, workspace.path(PULLED)));
    },
    pulledDigest: async (workspace) => {
      const index = await readFile(join(workspace.path(PULLED), "index.json"), "utf8");
      return (JSON.parse(index) as ManifestContent).manifests?.[0]?.digest;
    },
    ...lists,
  };
}

const skopeo = copying("skopeo", {
  push: (layout, image) => ["copy", "--quiet", "--dest-tls-verify=false", `oci:${layout}:v1`, `docker://${image}`],
  pull: (image, layout) => ["copy", "--quiet", "--src-tls-verify=false", `docker://${image}`, `oci:${layout}:v1`],
  listTags: (repository) => ["list-tags", NO_TLS, `docker://${repository}`],
});

const crane = copying("crane", {
  push: (layout, image) => ["push", layout, image],
  pull: (image, layout) => ["pull", "--format", "oci", image, layout],
  listTags: (repository) => ["ls", repository],
  listRepositories: ["catalog", registry.host],
});

const oras = copying("oras", {
  push: (layout, image) => ["cp", "--from-oci-layout", "--to-plain-http", `${layout}:v1`, image],
  pull: (image, layout) => ["cp", "--from-plain-http", "--to-oci-layout", image, `${layout}:v1`],
  listTags: (repository) => ["repo", "tags", PLAIN_HTTP, repository],
  listRepositories: ["repo", "ls", PLAIN_HTTP, registry.host],
});

const regctl = copying("regctl", {
  push: (layout, image) => ["image", "copy", `ocidir://${layout}:v1`, image],
  pull: (image, layout) => ["image", "copy", image, `ocidir://${layout}:v1`],
  listTags: (repository) => ["tag", "ls", repository],
  listRepositories: ["repo", "ls", registry.host],
});

/** Every client that can log in. */
export const CLIENTS: readonly Client[] = [docker, podman, buildah, skopeo, crane, oras, regctl];

/**
 * A group of tests for each client, with its daemon, if it needs one, beside them. `newcomer` gives a test somebody who has
 * never logged in.
 */
export function describeEachClient(
  title: string,
  body: (client: Client, newcomer: () => Promise<Workspace>) => void,
): void {
  for (const client of CLIENTS) {
    describeWithTools(`${client.name} ${title}`, client.tools, () => {
      body(client, machineOfGroup(client.startDaemon));
    });
  }
}
