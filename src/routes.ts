import { IttyRouter, type IRequestStrict } from "itty-router";
import * as accounts from "./admin/accounts.ts";
import * as audit from "./admin/audit.ts";
import * as caller from "./admin/caller.ts";
import * as collection from "./admin/collection.ts";
import * as listedTags from "./admin/listed-tags.ts";
import { type DescribedRoute, openApi } from "./admin/openapi.ts";
import * as mirror from "./admin/mirror.ts";
import * as policy from "./admin/policy.ts";
import * as readmes from "./admin/readmes.ts";
import * as repositories from "./admin/repositories.ts";
import * as retention from "./admin/retention.ts";
import * as session from "./admin/session.ts";
import * as tags from "./admin/tags.ts";
import * as tokens from "./admin/tokens.ts";
import * as trust from "./admin/trust.ts";
import * as usage from "./admin/usage.ts";
import { type Access, API_ACCESS, type Caller, CATALOG_ACCESS } from "./auth/access.ts";
import { assertAdmin } from "./auth/admin.ts";
import { ANYONE, authorize, authorizeReader, TO_READ, TO_SEARCH } from "./auth/authenticate.ts";
import type { Context } from "./context.ts";
import { OciError } from "./oci/error.ts";
import { parseRepositoryName, type RepositoryName } from "./oci/repository-name.ts";
import { assertNoMirror, contentFor, namesOf, type PullTarget, targetOf } from "./pull-target.ts";
import type { Action } from "./policy/action.ts";
import * as archives from "./protocol/archives.ts";
import * as base from "./protocol/base.ts";
import * as blobs from "./protocol/blobs.ts";
import type { Call, Handler } from "./protocol/call.ts";
import * as catalog from "./protocol/catalog.ts";
import * as manifests from "./protocol/manifests.ts";
import * as mirrorSnippets from "./protocol/mirror-snippets.ts";
import { findPage } from "./protocol/page.ts";
import * as referrers from "./protocol/referrers.ts";
import * as search from "./protocol/search.ts";
import { listTags } from "./protocol/tags.ts";
import * as token from "./protocol/token.ts";
import * as uploads from "./protocol/uploads.ts";

/**
 * What a route asks of its caller: nothing, to read or search as who they are or as nobody, to be somebody, leave to list
 * repositories or to use the admin API, to be an admin as well, or actions on the repository of its path, or on those of the
 * images that an archive is to hold, or is.
 */
type Requirement =
  | ("open" | "reader" | "searcher" | "somebody" | "catalog" | "api" | "admin" | "pull images" | "push image")
  | readonly Action[];

const PULL: readonly Action[] = ["pull"];
const PUSH: readonly Action[] = ["push"];
const DELETE: readonly Action[] = ["delete"];

type Method = "get" | "head" | "post" | "put" | "patch" | "delete";
type Route = readonly [method: Method, path: string, requirement: Requirement, handler: Handler];

/**
 * Every route, with the end-points of the distribution spec. Of two paths that match, the first one wins: `blobs/uploads/`
 * must not be taken for a blob. They are tried one by one, so what is asked for most comes first.
 */
const ROUTES: readonly Route[] = [
  ["get", "/v2/:name+/manifests/:reference", PULL, manifests.getManifest], // end-3
  ["head", "/v2/:name+/manifests/:reference", PULL, manifests.getManifest], // end-3
  ["put", "/v2/:name+/manifests/:reference", PUSH, manifests.putManifest], // end-7a, end-7b
  ["delete", "/v2/:name+/manifests/:reference", DELETE, manifests.deleteManifest], // end-9
  ["post", "/v2/:name+/blobs/uploads/", PUSH, uploads.startUpload], // end-4a, end-4b, end-11
  ["get", "/v2/:name+/blobs/uploads/:id", PUSH, uploads.getUpload], // end-13
  ["patch", "/v2/:name+/blobs/uploads/:id", PUSH, uploads.patchUpload], // end-5
  ["put", "/v2/:name+/blobs/uploads/:id", PUSH, uploads.putUpload], // end-6
  ["delete", "/v2/:name+/blobs/uploads/:id", PUSH, uploads.deleteUpload], // end-14
  ["get", "/v2/:name+/blobs/:digest", PULL, blobs.getBlob], // end-2
  ["head", "/v2/:name+/blobs/:digest", PULL, blobs.headBlob], // end-2
  ["delete", "/v2/:name+/blobs/:digest", DELETE, blobs.deleteBlob], // end-10
  ["get", "/v2/:name+/tags/list", PULL, listTags], // end-8a, end-8b
  ["get", "/v2/:name+/referrers/:digest", PULL, referrers.listReferrers], // end-12a, end-12b

  ["get", "/archive/:image+", "pull images", archives.getArchive],
  ["head", "/archive/:image+", "pull images", archives.getArchive],
  ["put", "/archive/:image+", "push image", archives.putArchive],

  ["get", "/token", "open", token.getToken],
  ["post", "/token", "open", token.postToken],
  ["get", "/v2/", "somebody", base.ping], // end-1
  ["head", "/v2/", "somebody", base.ping],
  ["get", "/v2/_catalog", "catalog", catalog.listRepositories],
  ["get", "/v1/_ping", "open", search.ping],
  ["get", "/v1/search", "searcher", search.search],

  ["get", "/mirror/daemon.json", "open", mirrorSnippets.getDaemonJson],
  ["get", "/mirror/registries.conf", "open", mirrorSnippets.getRegistriesConf],
  ["get", "/mirror/registries.yaml", "open", mirrorSnippets.getRegistriesYaml],
  ["get", "/mirror/:name/hosts.toml", "open", mirrorSnippets.getHostsToml],

  ["get", "/api/openapi.json", "open", openApi(describedRoutes)],
  ["post", "/api/session", "open", session.signIn],
  ["delete", "/api/session", "open", session.signOut],
  ["post", "/api/session/token", "open", session.getSessionToken],
  ["get", "/api/caller", "api", caller.showCaller],
  ["get", "/api/accounts", "admin", accounts.listAccounts],
  ["post", "/api/accounts", "admin", accounts.addAccount],
  ["delete", "/api/accounts/:name", "admin", accounts.removeAccount],
  ["put", "/api/accounts/:name/password", "api", accounts.setPassword],
  ["get", "/api/tokens", "admin", tokens.listTokens],
  ["post", "/api/tokens", "admin", tokens.createToken],
  ["delete", "/api/tokens/:name", "admin", tokens.revokeToken],
  ["get", "/api/policy/rules", "admin", policy.listRules],
  ["post", "/api/policy/rules", "admin", policy.grant],
  ["delete", "/api/policy/rules", "admin", policy.revoke],
  ["get", "/api/policy/check", "admin", policy.check],
  ["get", "/api/trust", "admin", trust.listTrustRules],
  ["post", "/api/trust", "admin", trust.addTrustRule],
  ["delete", "/api/trust/:name", "admin", trust.removeTrustRule],
  ["get", "/api/repositories", "reader", repositories.listRepositories],
  ["get", "/api/repositories/:name+", "reader", repositories.showRepository],
  ["patch", "/api/repositories/:name+", "admin", repositories.setRepository],
  ["delete", "/api/repositories/:name+", "admin", repositories.deleteRepository],
  ["get", "/api/readme", "reader", readmes.showReadme],
  ["put", "/api/readme", "admin", readmes.setReadme],
  ["get", "/api/audit", "admin", audit.listAuditEvents],
  ["get", "/api/tags", "reader", listedTags.listTags],
  ["get", "/api/tags/history", "reader", tags.listTagEvents],
  ["get", "/api/tags/at", "reader", tags.showTagAt],
  ["get", "/api/tags/deletion", "reader", listedTags.previewDeletion],
  ["post", "/api/tags/restore", "admin", tags.restoreTag],
  ["post", "/api/tags/release", "admin", tags.releaseTags],
  ["post", "/api/tags/expiry", "admin", tags.setTagExpiry],
  ["get", "/api/collection", "admin", collection.showCollection],
  ["post", "/api/collection", "admin", collection.runCollection],
  ["get", "/api/usage", "admin", usage.showUsage],
  ["get", "/api/usage/history", "admin", usage.listUsage],
  ["get", "/api/retention", "admin", retention.listRetentionRules],
  ["post", "/api/retention/preview", "admin", retention.previewRetention],
  ["post", "/api/retention/run", "admin", retention.runRetention],
  ["put", "/api/retention/:name", "admin", retention.setRetentionRule],
  ["delete", "/api/retention/:name", "admin", retention.removeRetentionRule],
  ["get", "/api/mirror", "admin", mirror.listUpstreams],
  ["post", "/api/mirror/:name/check", "admin", mirror.checkUpstream],
];

/** The routes above, for the API's own description. */
function describedRoutes(): DescribedRoute[] {
  return ROUTES.map(([method, path, requirement, handler]) => {
    return { method, path, requirement: String(requirement), handler };
  });
}

/** What the router reads, and what it writes: the parsed path. */
type Routed = Pick<IRequestStrict, "method" | "url" | "params">;

function onRepositories(names: readonly RepositoryName[], actions: readonly Action[]): Access[] {
  return names.map((name) => ({ type: "repository", name, actions }));
}

function requiredAccesses(
  requirement: Exclude<Requirement, "open" | "reader" | "searcher">,
  call: Pick<Call, "params" | "url">,
): Access[] {
  switch (requirement) {
    case "somebody":
      return [];
    case "catalog":
      return [CATALOG_ACCESS];
    case "api":
    case "admin":
      return [API_ACCESS];
    case "pull images":
      return onRepositories(archives.repositoriesOf(call), ["pull"]);
    case "push image":
      return onRepositories([archives.repositoryOf(call)], ["push"]);
    default:
      return onRepositories([parseRepositoryName(call.params.name ?? "")], requirement);
  }
}

/** The caller, if the request meets the requirement. */
async function findCaller(
  requirement: Requirement,
  request: Request,
  context: Context,
  { url, params }: Pick<Call, "url" | "params">,
  target: PullTarget | undefined,
): Promise<Caller> {
  if (target) {
    const accesses = onRepositories(namesOf(target), PULL);
    return await authorize(context, { request, url, accesses, isAnyEnough: true });
  }
  if (requirement === PUSH) assertNoMirror(context, params);
  if (requirement === "open") return ANYONE;
  if (requirement === "reader") return await authorizeReader(context, { request, url }, TO_READ);
  if (requirement === "searcher") return await authorizeReader(context, { request, url }, TO_SEARCH);
  const accesses = requiredAccesses(requirement, { params, url });
  const found = await authorize(context, { request, url, accesses });
  if (requirement === "admin") await assertAdmin(context, found);
  return found;
}

/** A route's handler behind its requirement. */
function guarded(requirement: Requirement, handler: Handler) {
  return async ({ params }: Routed, request: Request, context: Context): Promise<Response> => {
    const url = new URL(request.url);
    const target = requirement === PULL ? targetOf(context, url, params) : undefined;
    const caller = await findCaller(requirement, request, context, { url, params }, target);
    return await handler({
      ...{ request, url, context, caller, params },
      content: () => contentFor(context, caller, target),
    });
  };
}

function methodNotAllowed(allowed: readonly string[]) {
  return (): never => {
    const headers = { Allow: allowed.join(", ").toUpperCase() };
    throw new OciError("UNSUPPORTED", { message: "method not allowed here", headers });
  };
}

const router = IttyRouter<IRequestStrict, [Request, Context]>();

for (const path of new Set(ROUTES.map(([, route]) => route))) {
  const routes = ROUTES.filter(([, other]) => other === path);
  for (const [method, , requirement, handler] of routes) router[method](path, guarded(requirement, handler));
  router.all(path, methodNotAllowed(routes.map(([method]) => method)));
}

/** Finds the route of a request and runs it; else the web page. Throws OciError, NOT_FOUND where there is neither. */
export async function route(request: Request, context: Context): Promise<Response> {
  // The router looks at the method for each route, and writes what it parsed: on a plain object both are several times faster.
  const routed = { method: request.method, url: request.url };
  const response: unknown = await router.fetch(routed, request, context);
  const answer = response instanceof Response ? response : await findPage(request, context);
  if (answer) return answer;
  throw new OciError("NOT_FOUND");
}
