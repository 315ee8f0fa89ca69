import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import type { Credentials } from "../access.ts";
import { CLIENTS, type ClientName } from "../clients.ts";
import { startContainerd } from "../containerd.ts";
import { startDockerd } from "../dockerd.ts";
import type { DaemonStart } from "../machine.ts";
import type { Outcome } from "../run.ts";
import type { Tool } from "../tools.ts";
import { REGISTRIES_CONF, type Workspace } from "../workspace.ts";

/** Where a mirror is, and the name that it has for the upstream. */
export interface MirrorPlace {
  /** Host and port. */
  readonly host: string;
  readonly upstream: string;
}

/** A way in which a client comes to a mirror. */
export interface Way {
  readonly title: string;
  readonly tools: readonly Tool[];
  readonly startDaemon?: (mirror: MirrorPlace) => DaemonStart;
  /**
   * Pulls an image that the upstream has, into a store that has nothing of it.
   * @param reference `:tag` or `@digest`
   * @param who for clients that keep no log-in.
   */
  readonly pull: (
    workspace: Workspace,
    mirror: MirrorPlace,
    repository: string,
    reference: string,
    who?: Credentials,
  ) => Promise<Pulled>;
}

/** How a pull ended, and the digest that the client says the image has. */
export interface Pulled extends Outcome {
  readonly digest: string | undefined;
}

const DIGEST = /sha256:[0-9a-f]{64}/;

/** `registry-mirrors` of Docker's daemon.json, which are for Docker Hub alone: the hostname says which upstream is meant. */
const dockerMirrors: Way = {
  title: "docker with registry-mirrors",
  tools: ["docker", "dockerd"],
  startDaemon: (mirror) => (workspace) => startDockerd(workspace, ["--registry-mirror", `http://${mirror.host}`]),
  pull: async (workspace, _mirror, repository, reference) =>
    await pullWithDocker(workspace, `docker.io/${repository}${reference}`),
};

const dockerByPath: Way = {
  title: "docker by path",
  tools: ["docker", "dockerd"],
  startDaemon: () => startDockerd,
  pull: async (workspace, { host, upstream }, repository, reference) =>
    await pullWithDocker(workspace, `${host}/${upstream}/${repository}${reference}`),
};

async function pullWithDocker(workspace: Workspace, image: string): Promise<Pulled> {
  const outcome = await workspace.attempt("docker", ["pull", image]);
  // The next one has to fetch it.
  await workspace.attempt("docker", ["image", "rm", "--force", image]);
  return { ...outcome, digest: DIGEST.exec(outcome.stdout)?.[0] };
}

/** containerd's hosts.toml: it asks the mirror for the upstream's names, and says in `ns` whose they are. */
const containerdHosts: Way = {
  title: "ctr with hosts.toml",
  tools: ["containerd", "ctr"],
  startDaemon: () => startContainerd,
  pull: async (workspace, { host, upstream }, repository, reference, who) => {
    const hosts = workspace.path("hosts");
    await mkdir(`${hosts}/${upstream}`, { recursive: true });
    await writeFile(
      `${hosts}/${upstream}/hosts.toml`,
      `server = "http://${host}"\n[host."http://${host}"]\n  capabilities = ["pull", "resolve"]\n`,
    );
    const image = `${upstream}/${repository}${reference}`;
    // A namespace of its own is an empty store.
    const inNamespace = ["--namespace", `pull-${randomUUID()}`, "images"];
    const login = who === undefined ? [] : ["--user", `${who.username}:${who.password}`];
    const outcome = await workspace.attempt("ctr", [...inNamespace, "pull", "--hosts-dir", hosts, ...login, image]);
    const list = await workspace.run("ctr", [...inNamespace, "list", `name==${image}`]);
    return { ...outcome, digest: DIGEST.exec(list.split("\n").at(-1)?.slice(image.length) ?? "")?.[0] };
  },
};

/** Mirrors of registries.conf, which podman, buildah and skopeo read: they put the mirror's location before the name. */
function registriesConf(name: ClientName): Way {
  return {
    title: `${name} with registries.conf`,
    tools: [name],
    pull: async (workspace, { host, upstream }, repository, reference) => {
      const lines = [
        ...["[[registry]]", `prefix = "${upstream}"`, `location = "${upstream}"`],
        ...["[[registry.mirror]]", `location = "${host}/${upstream}"`, "insecure = true"],
      ];
      await writeFile(workspace.path(REGISTRIES_CONF), lines.join("\n"));
      return await pullWith(name, workspace, `${upstream}/${repository}${reference}`);
    },
  };
}

/** The name of the upstream before that of the repository: nothing is to be configured. */
export function byPath(name: ClientName): Way {
  return {
    title: `${name} by path`,
    tools: [name],
    pull: async (workspace, { host, upstream }, repository, reference) =>
      await pullWith(name, workspace, `${host}/${upstream}/${repository}${reference}`),
  };
}

async function pullWith(name: ClientName, workspace: Workspace, image: string): Promise<Pulled> {
  const client = CLIENTS.find((each) => each.name === name);
  if (client === undefined) throw new Error(`${name} is no client`);
  const outcome = await client.pull(workspace, image);
  return { ...outcome, digest: outcome.code === 0 ? await client.pulledDigest(workspace, image) : undefined };
}

/** Every way in. */
export const WAYS: readonly Way[] = [
  dockerMirrors,
  dockerByPath,
  containerdHosts,
  ...(["podman", "buildah", "skopeo"] as const).map(registriesConf),
  ...(["skopeo", "crane", "oras", "regctl"] as const).map(byPath),
];
