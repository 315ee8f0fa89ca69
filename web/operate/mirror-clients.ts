import type { Upstream } from "./answers.ts";

/** A way to use the mirror. */
export interface MirrorClient {
  readonly value: "docker" | "containerd" | "containers" | "k3s" | "name";
  readonly label: string;
}

export const MIRROR_CLIENTS: readonly MirrorClient[] = [
  { value: "docker", label: "Docker" },
  { value: "containerd", label: "containerd" },
  { value: "containers", label: "Podman, Skopeo, Buildah, CRI-O" },
  { value: "k3s", label: "k3s, RKE2" },
  { value: "name", label: "Any client, by the image's name" },
];

/** A file that the registry writes for a client. */
export interface ClientFile {
  /** Where the client looks for it. */
  readonly where: string;
  /** Where the registry has it. */
  readonly path: string;
}

/** What a client is set up with; undefined where that is nothing. */
export function fileFor(client: MirrorClient["value"], upstream: string): ClientFile | undefined {
  switch (client) {
    case "docker":
      return { where: "In /etc/docker/daemon.json; then restart Docker", path: "/mirror/daemon.json" };
    case "containerd": {
      const where = `In /etc/containerd/certs.d/${upstream}/hosts.toml`;
      return { where, path: `/mirror/${upstream}/hosts.toml` };
    }
    case "containers":
      return { where: "In /etc/containers/registries.conf.d/050-stowage.conf", path: "/mirror/registries.conf" };
    case "k3s":
      return {
        where: "In /etc/rancher/k3s/registries.yaml on each node; then restart k3s",
        path: "/mirror/registries.yaml",
      };
    case "name":
      return undefined;
  }
}

/** How an image of an upstream is pulled by its name here. */
export const pullByName = (upstream: string, host: string): string =>
  `docker pull ${host}/${upstream}/${upstream === "docker.io" ? "library/nginx" : "NAME"}`;

/** What an upstream failed at, unless it has answered since. */
export function troubleOf({ failure, failedAt, answeredAt }: Upstream): string | undefined {
  if (failure === null || failedAt === null) return undefined;
  return answeredAt !== null && Date.parse(answeredAt) > Date.parse(failedAt) ? undefined : failure;
}

/** How old what is served may be, and must be, in words. */
export function describeTimes({ freshness, stale, cooldown, kept }: Upstream): string[] {
  return [
    `tags asked for again after ${freshness}`,
    ...(cooldown === "0s" ? [] : [`nothing younger than ${cooldown}`]),
    ...(stale === "never" ? [] : [`copies served for ${stale} without it`]),
    kept === "never" ? "kept for ever" : `kept for ${kept} after the last pull`,
  ];
}
