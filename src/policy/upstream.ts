import { isRepositoryName, type RepositoryName } from "../oci/repository-name.ts";
import type { RepositoryPattern } from "./pattern.ts";
import { matchesRepository } from "./pattern.ts";
import type { Grant } from "./policy.ts";

/** Another registry, which this one mirrors: under its name, what it has is pulled here. */
export interface Upstream {
  /** The first part of the names of the repositories that mirror it, as `docker.io` is. */
  readonly name: RepositoryName;
  /** Where it is: an origin, without a path. */
  readonly url: string;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  /** Those of its repositories that may be mirrored, by the names that it has for them. */
  readonly repositories: readonly RepositoryPattern[];
  /** Whether anyone may pull what it mirrors. Otherwise only those do whom a rule allows it, and no anonymous caller. */
  readonly anonymous: boolean;
  /** Whether a name that is no repository here is looked for there: on all hostnames of the registry, on these, or on none. */
  readonly root: boolean | readonly string[];
  /** How long a tag is taken for what it was. */
  readonly freshnessMs: number;
  /** How long what was fetched once is served while the upstream cannot be asked; undefined: for ever. */
  readonly staleMs: number | undefined;
  /** How old what a tag names must be. */
  readonly cooldownMs: number | undefined;
  /** How long a tag is kept that nobody pulls; undefined: for ever. */
  readonly keptMs: number | undefined;
  /** Whether it may be, or lead to, plain HTTP and a private address. */
  readonly private: boolean;
}

/** What mirrors a repository of an upstream. */
export interface MirrorAddress {
  readonly upstream: Upstream;
  /** The repository's name here. */
  readonly repository: RepositoryName;
  /** The repository's name there. */
  readonly remote: RepositoryName;
}

/** The name by which clients know Docker Hub, where a name of one part means one of these. */
export const HUB = "docker.io";
const HUB_OFFICIAL = "library/";

/** The repository here that mirrors one there; undefined where it may not be mirrored. */
export function addressIn(upstream: Upstream, remoteName: string): MirrorAddress | undefined {
  const isShort = upstream.name === HUB && !remoteName.includes("/");
  const remote = isShort ? HUB_OFFICIAL + remoteName : remoteName;
  const repository = `${upstream.name}/${remote}`;
  if (!isRepositoryName(remote) || !isRepositoryName(repository)) return undefined;
  const isAllowed = upstream.repositories.some((pattern) => matchesRepository(pattern, remote));
  return isAllowed ? { upstream, repository, remote } : undefined;
}

/** What a repository mirrors by its own name: `docker.io/library/nginx`, or `docker.io/nginx`. */
export function mirrorByName(upstreams: readonly Upstream[], name: RepositoryName): MirrorAddress | undefined {
  const upstream = upstreams.find((each) => name.startsWith(`${each.name}/`));
  return upstream && addressIn(upstream, name.slice(upstream.name.length + 1));
}

/** What a client means that names the registry for which it asks: containerd, by the parameter `ns`. */
export function mirrorByNamespace(
  upstreams: readonly Upstream[],
  namespace: string,
  name: RepositoryName,
): MirrorAddress | undefined {
  const upstream = upstreams.find((each) => each.name === namespace || new URL(each.url).host === namespace);
  return upstream && addressIn(upstream, name);
}

/** The upstream that is meant on a hostname by whoever names none. */
export function upstreamAtRoot(upstreams: readonly Upstream[], hostname: string): Upstream | undefined {
  const isAt = ({ root }: Upstream) => typeof root !== "boolean" && root.includes(hostname);
  return upstreams.find(isAt) ?? upstreams.find(({ root }) => root === true);
}

/**
 * What a name means on a hostname that is the mirror of an upstream, as Docker's `registry-mirrors` has it. What begins with the name of
 * another upstream is nothing of this one, also where that other one may not be mirrored: no name of it is told here.
 */
export function mirrorAtRoot(
  upstreams: readonly Upstream[],
  hostname: string,
  name: RepositoryName,
): MirrorAddress | undefined {
  if (upstreams.some((each) => name.startsWith(`${each.name}/`))) return undefined;
  const upstream = upstreamAtRoot(upstreams, hostname);
  return upstream && addressIn(upstream, name);
}

/** What anyone may do by upstreams that are open to all. */
export function grantsOfUpstreams(upstreams: readonly Upstream[]): Grant[] {
  return upstreams
    .filter(({ anonymous }) => anonymous)
    .flatMap(({ name, repositories }) =>
      repositories.map((pattern): Grant => {
        return { repository: `${name}/${pattern}` as RepositoryPattern, actions: ["pull"] };
      }),
    );
}
