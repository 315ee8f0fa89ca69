import type { Caller } from "./auth/access.ts";
import type { Context } from "./context.ts";
import { EitherContent } from "./mirror/either-content.ts";
import { MirroredContent } from "./mirror/mirrored-content.ts";
import { OciError } from "./oci/error.ts";
import { parseRepositoryName, type RepositoryName } from "./oci/repository-name.ts";
import type { Action } from "./policy/action.ts";
import { type MirrorAddress, mirrorAtRoot, mirrorByName, mirrorByNamespace } from "./policy/upstream.ts";
import type { Call } from "./protocol/call.ts";
import { type Content, LocalContent } from "./registry/content.ts";

/** What the name in a path may mean, for who pulls. */
export interface PullTarget {
  /** A repository here; undefined where the name says that it is an upstream's. */
  readonly local: RepositoryName | undefined;
  readonly mirror: (MirrorAddress & { readonly by: "name" | "namespace" | "root" }) | undefined;
}

/**
 * Three ways lead to an upstream: its name in the path, as in `docker.io/library/nginx`; the parameter `ns`, with which containerd says for
 * which registry it asks; and a hostname that is a mirror. Throws NAME_INVALID.
 */
export function targetOf({ config }: Context, url: URL, params: Call["params"]): PullTarget {
  const name = parseRepositoryName(params.name ?? "");
  const { upstreams } = config;
  if (upstreams.length === 0) return { local: name, mirror: undefined };
  const named = mirrorByName(upstreams, name);
  if (named) return { local: undefined, mirror: { ...named, by: "name" } };
  const namespace = url.searchParams.get("ns");
  const by = namespace === null ? "root" : "namespace";
  const meant =
    namespace === null ? mirrorAtRoot(upstreams, url.hostname, name) : mirrorByNamespace(upstreams, namespace, name);
  return { local: name, mirror: meant && { ...meant, by } };
}

/** The repositories of which a caller must be allowed to pull at least one. */
export function namesOf({ local, mirror }: PullTarget): RepositoryName[] {
  return [...(local === undefined ? [] : [local]), ...(mirror === undefined ? [] : [mirror.repository])];
}

/** A push to what mirrors an upstream would be lost on who looks for it there. Throws DENIED. */
export function assertNoMirror({ config }: Context, params: Call["params"]): void {
  const mirror = mirrorByName(config.upstreams, parseRepositoryName(params.name ?? ""));
  if (mirror === undefined) return;
  const { repository, upstream } = mirror;
  throw new OciError("DENIED", {
    message: `${repository} mirrors ${upstream.name}: push there, or under another name here`,
  });
}

/**
 * What a caller pulls: of a repository here, if it may pull from that, else of the upstream. Whoever may push to a name means a repository
 * here, that may not be yet: no client should find there, by the layers it has, those of a stranger.
 */
export function contentFor(context: Context, caller: Caller, target: PullTarget | undefined): Content {
  if (target === undefined) throw new Error("only a route that asks to pull has content");
  const { local, mirror } = target;
  const may = (name: RepositoryName, action: Action) => caller.allows({ type: "repository", name, actions: [action] });
  const mayPush = local !== undefined && may(local, "push");
  const mayChange = mayPush || (local !== undefined && may(local, "delete"));
  const here = local !== undefined && may(local, "pull") ? new LocalContent(context, local, !mayChange) : undefined;
  const isOurs = here !== undefined && mirror?.by === "root" && mayPush;
  const isMeant = mirror !== undefined && may(mirror.repository, "pull") && !isOurs;
  const there = isMeant ? new MirroredContent(context, mirror) : undefined;
  if (here && there) return new EitherContent(here, there);
  const content = here ?? there;
  if (content) return content;
  throw new Error("a caller passed who may pull nothing");
}
