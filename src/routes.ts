import { IttyRouter, type IRequestStrict } from "itty-router";
import type { Access, Action } from "./auth/access.ts";
import { authorize } from "./auth/authenticate.ts";
import { CATALOG_ACCESS } from "./auth/scope.ts";
import type { Context } from "./context.ts";
import { OciError } from "./oci/error.ts";
import { parseRepositoryName } from "./oci/repository-name.ts";
import * as base from "./protocol/base.ts";
import * as blobs from "./protocol/blobs.ts";
import type { Call, Handler } from "./protocol/call.ts";
import * as catalog from "./protocol/catalog.ts";
import * as manifests from "./protocol/manifests.ts";
import * as referrers from "./protocol/referrers.ts";
import * as tags from "./protocol/tags.ts";
import * as token from "./protocol/token.ts";
import * as uploads from "./protocol/uploads.ts";

/** What a route asks of its caller: an account, leave to list all, or actions on the repository of its path. */
type Requirement = "account" | "catalog" | readonly Action[];

const PULL: Requirement = ["pull"];
const PUSH: Requirement = ["push"];
const DELETE: Requirement = ["delete"];

type Method = "get" | "head" | "post" | "put" | "patch" | "delete";
type Route = readonly [method: Method, path: string, requirement: Requirement, handler: Handler];

/**
 * Every route that needs a caller, with the end-points of the distribution spec. Of two paths that match, the first one
 * wins: `blobs/uploads/` must not be taken for a blob.
 */
const ROUTES: readonly Route[] = [
  ["get", "/v2/", "account", base.ping], // end-1
  ["head", "/v2/", "account", base.ping],
  ["get", "/v2/_catalog", "catalog", catalog.listRepositories],
  ["get", "/v2/:name+/tags/list", PULL, tags.listTags], // end-8a, end-8b
  ["get", "/v2/:name+/referrers/:digest", PULL, referrers.listReferrers], // end-12a, end-12b
  ["post", "/v2/:name+/blobs/uploads/", PUSH, uploads.startUpload], // end-4a, end-4b, end-11
  ["get", "/v2/:name+/blobs/uploads/:id", PUSH, uploads.getUpload], // end-13
  ["patch", "/v2/:name+/blobs/uploads/:id", PUSH, uploads.patchUpload], // end-5
  ["put", "/v2/:name+/blobs/uploads/:id", PUSH, uploads.putUpload], // end-6
  ["delete", "/v2/:name+/blobs/uploads/:id", PUSH, uploads.deleteUpload], // end-14
  ["get", "/v2/:name+/blobs/:digest", PULL, blobs.getBlob], // end-2
  ["head", "/v2/:name+/blobs/:digest", PULL, blobs.headBlob], // end-2
  ["delete", "/v2/:name+/blobs/:digest", DELETE, blobs.deleteBlob], // end-10
  ["get", "/v2/:name+/manifests/:reference", PULL, manifests.getManifest], // end-3
  ["head", "/v2/:name+/manifests/:reference", PULL, manifests.getManifest], // end-3
  ["put", "/v2/:name+/manifests/:reference", PUSH, manifests.putManifest], // end-7a, end-7b
  ["delete", "/v2/:name+/manifests/:reference", DELETE, manifests.deleteManifest], // end-9
];

/** What the router hands on: the parsed path and the request it parsed. */
type RoutedRequest = IRequestStrict;

function requiredAccess(requirement: Requirement, name: string | undefined): Access | undefined {
  if (requirement === "account") return undefined;
  if (requirement === "catalog") return CATALOG_ACCESS;
  return { type: "repository", name: parseRepositoryName(name ?? ""), actions: requirement };
}

/** A route's handler behind its requirement. */
function guarded(requirement: Requirement, handler: Handler) {
  return async (request: RoutedRequest, context: Context): Promise<Response> => {
    const url = new URL(request.url);
    const params: Call["params"] = request.params;
    const caller = await authorize(context, request, url.origin, requiredAccess(requirement, params.name));
    return await handler({ request, url, context, caller, params });
  };
}

function methodNotAllowed(allowed: readonly string[]) {
  return (): never => {
    const headers = { Allow: allowed.join(", ").toUpperCase() };
    throw new OciError("UNSUPPORTED", { message: "method not allowed here", headers });
  };
}

/** The token endpoint is where callers come from: it alone is open. */
const router = IttyRouter<RoutedRequest, [Context]>()
  .get("/token", async (request, context) => await token.getToken({ request, url: new URL(request.url), context }))
  .post("/token", async (request, context) => await token.postToken({ request, url: new URL(request.url), context }))
  .all("/token", methodNotAllowed(["get", "post"]));

for (const path of new Set(ROUTES.map(([, route]) => route))) {
  const routes = ROUTES.filter(([, other]) => other === path);
  for (const [method, , requirement, handler] of routes) router[method](path, guarded(requirement, handler));
  router.all(path, methodNotAllowed(routes.map(([method]) => method)));
}

/** Finds the route of a request and runs it. Throws OciError, NOT_FOUND where there is no route. */
export async function route(request: Request, context: Context): Promise<Response> {
  const response: unknown = await router.fetch(request, context);
  if (response instanceof Response) return response;
  throw new OciError("NOT_FOUND");
}
