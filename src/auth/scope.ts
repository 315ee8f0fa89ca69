import { isRepositoryName } from "../oci/repository-name.ts";
import { ACTIONS } from "../policy/action.ts";
import { mirrorAtRoot, mirrorByName, type Upstream } from "../policy/upstream.ts";
import { type Access, API_ACCESS, CATALOG_ACCESS, SEARCH_ACCESS } from "./access.ts";

/** A request asks for as many scopes as it likes, and gets tokens of a bounded size. */
export const SCOPES_MAX = 32;

/**
 * Docker's token scope grammar: `repository:<name>:<action>,…`, `registry:catalog:*` and `registry:catalog:search`, and
 * `registry:api:*` for the admin API. `*` stands for all actions. What is not understood is left out, as a scope that is not granted is no error.
 */
export function parseScopes(texts: readonly string[]): Access[] {
  return texts
    .flatMap((text) => text.split(" "))
    .slice(0, SCOPES_MAX)
    .flatMap((text) => parseScope(text));
}

function parseScope(text: string): Access[] {
  const match = /^(repository|registry)(?:\([^)]*\))?:(.+):([a-z*,]*)$/.exec(text);
  const [, type, name = "", actionList = ""] = match ?? [];
  const wanted = new Set(actionList.split(","));
  if (type === "registry") {
    const known = [CATALOG_ACCESS, SEARCH_ACCESS, API_ACCESS];
    return known.filter((access) => access.name === name && access.actions.every((action) => wanted.has(action)));
  }
  if (type !== "repository" || !isRepositoryName(name)) return [];
  const actions = ACTIONS.filter((action) => wanted.has(action) || wanted.has("*"));
  return actions.length > 0 ? [{ type, name, actions }] : [];
}

/**
 * What a client asks for, and what it may mean by that where this registry is the mirror of others: docker asks for
 * `library/nginx`, and means what mirrors that of Docker Hub.
 */
export function withMirrors(accesses: readonly Access[], upstreams: readonly Upstream[], hostname: string): Access[] {
  return accesses.flatMap((access): Access[] => {
    if (access.type !== "repository" || !access.actions.includes("pull")) return [access];
    const { name } = access;
    const mirror = mirrorByName(upstreams, name) ?? mirrorAtRoot(upstreams, hostname, name);
    if (mirror === undefined || mirror.repository === name) return [access];
    return [access, { type: "repository", name: mirror.repository, actions: ["pull"] }];
  });
}

/** The scope by which a challenge asks for this access. */
export function formatScope({ type, name, actions }: Access): string {
  return `${type}:${name}:${actions.join(",")}`;
}

/** Whether a list of granted accesses covers what is wanted. */
export function covers(granted: readonly Access[], wanted: Access): boolean {
  return wanted.actions.every((action) =>
    granted.some(
      ({ type, name, actions }) =>
        type === wanted.type && name === wanted.name && (actions as readonly string[]).includes(action),
    ),
  );
}
