import { OciError } from "../oci/error.ts";
import { HUB, type Upstream, upstreamAtRoot } from "../policy/upstream.ts";
import { type Call, decodeParam } from "./call.ts";

/**
 * Files by which clients find the mirror, with the registry's own address in them. They are open to all: they name the upstreams and
 * where these are, and hold no secret.
 */

const TEXT = { headers: { "Content-Type": "text/plain; charset=utf-8" } };

/** Of TOML as of YAML: both read what JSON writes. */
const quote = (text: string): string => JSON.stringify(text);

/** The upstreams, of which there must be some. Throws NOT_FOUND. */
function upstreamsOf({ context }: Call): readonly Upstream[] {
  const { upstreams } = context.config;
  if (upstreams.length > 0) return upstreams;
  throw new OciError("NOT_FOUND", { message: "this registry mirrors no other: set UPSTREAMS" });
}

/** Docker knows a mirror of Docker Hub alone, by a hostname alone. Throws NOT_FOUND where this hostname is none. */
// eslint-disable-next-line @typescript-eslint/require-await -- a handler
export async function getDaemonJson(call: Call): Promise<Response> {
  const { origin, hostname, host, protocol } = call.url;
  const upstream = upstreamAtRoot(upstreamsOf(call), hostname);
  if (upstream?.name !== HUB) {
    const message = `${hostname} is no mirror of ${HUB}: in UPSTREAMS, set "root": true or "root": [${quote(hostname)}] of ${HUB}`;
    throw new OciError("NOT_FOUND", { message });
  }
  if (!upstream.anonymous) {
    const message = `docker logs in to no mirror: in UPSTREAMS, set "anonymous": true of ${HUB}`;
    throw new OciError("NOT_FOUND", { message });
  }
  const settings = {
    "registry-mirrors": [origin],
    ...(protocol === "http:" && { "insecure-registries": [host] }),
  };
  const headers = { "Content-Type": "application/json" };
  return new Response(`${JSON.stringify(settings, null, 2)}\n`, { headers });
}

/** For containerd, which asks for all that is an upstream's here first, and then there. Throws NOT_FOUND. */
// eslint-disable-next-line @typescript-eslint/require-await -- a handler
export async function getHostsToml(call: Call): Promise<Response> {
  const wanted = decodeParam(call, "name");
  const upstream = upstreamsOf(call).find(({ name }) => name === wanted);
  if (upstream === undefined) throw new OciError("NOT_FOUND", { message: `there is no upstream ${wanted}` });
  const { name, url, anonymous } = upstream;
  const { origin } = call.url;
  const lines = [
    `# /etc/containerd/certs.d/${name}/hosts.toml, where containerd's config_path is /etc/containerd/certs.d`,
    `server = ${quote(url)}`,
    "",
    `[host.${quote(origin)}]`,
    '  capabilities = ["pull", "resolve"]',
    ...(anonymous
      ? []
      : [
          "# Not open to all: the base64 of NAME:PASSWORD, of an account or access token that may pull.",
          `# [host.${quote(origin)}.header]`,
          '#   authorization = "Basic …"',
        ]),
  ];
  return new Response(`${lines.join("\n")}\n`, TEXT);
}

/** For podman, skopeo, buildah and CRI-O. */
// eslint-disable-next-line @typescript-eslint/require-await -- a handler
export async function getRegistriesConf(call: Call): Promise<Response> {
  const { host, protocol } = call.url;
  const tables = upstreamsOf(call).map(({ name, anonymous }) => [
    "",
    "[[registry]]",
    `prefix = ${quote(name)}`,
    `location = ${quote(name)}`,
    "",
    "[[registry.mirror]]",
    ...(anonymous ? [] : [`# Not open to all: podman login ${host}`]),
    `location = ${quote(`${host}/${name}`)}`,
    ...(protocol === "http:" ? ["insecure = true"] : []),
  ]);
  const lines = [
    "# /etc/containers/registries.conf.d/050-stowage.conf, or below ~/.config/containers for one user alone",
    ...tables.flat(),
  ];
  return new Response(`${lines.join("\n")}\n`, TEXT);
}

/** For k3s and RKE2. */
// eslint-disable-next-line @typescript-eslint/require-await -- a handler
export async function getRegistriesYaml(call: Call): Promise<Response> {
  const upstreams = upstreamsOf(call);
  const { origin, host } = call.url;
  const lines = [
    "# /etc/rancher/k3s/registries.yaml, or /etc/rancher/rke2/registries.yaml, on each node; it is read when the node starts",
    "mirrors:",
    ...upstreams.flatMap(({ name }) => [`  ${quote(name)}:`, "    endpoint:", `      - ${quote(origin)}`]),
    ...(upstreams.every(({ anonymous }) => anonymous)
      ? []
      : [
          "# Not all of them are open to all: an account or access token that may pull.",
          "# configs:",
          `#   ${quote(host)}:`,
          "#     auth:",
          "#       username: NAME",
          "#       password: PASSWORD",
        ]),
  ];
  return new Response(`${lines.join("\n")}\n`, TEXT);
}
