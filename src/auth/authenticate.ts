import type { Context } from "../context.ts";
import { findRules } from "../metadata/policy.ts";
import { OciError } from "../oci/error.ts";
import { isRepositoryName, type RepositoryName } from "../oci/repository-name.ts";
import type { Upstream } from "../policy/upstream.ts";
import { type Access, API_ACCESS, type Caller, CATALOG_ACCESS, SEARCH_ACCESS } from "./access.ts";
import { isAccessToken } from "./access-token.ts";
import { MALFORMED_BASIC, parseBasic } from "./basic.ts";
import { identify, type Identification } from "./identify.ts";
import { actionsOf, ANONYMOUS, type Authority, type Identity, isAnonymous, visibilityOf } from "./identity.ts";
import { covers, formatScope } from "./scope.ts";
import { TOKEN_SERVICE, verifyToken } from "./token.ts";

/** What a request's Authorization header came to. */
type Authentication =
  | { readonly kind: "caller"; readonly caller: Caller }
  | { readonly kind: "anonymous" }
  | { readonly kind: "rejected"; readonly error: "invalid_token" | undefined; readonly message: string };

/** No credentials are longer, tokens of other issuers included. */
const AUTHORIZATION_MAX_LENGTH = 64 * 1024;

/** A request that wants something. */
export interface AuthorizeRequest {
  readonly request: Request;
  readonly url: URL;
  /** Empty: only to be known. */
  readonly accesses: readonly Access[];
  /** Whether any of it is enough: a name may mean a repository here, or what mirrors one of an upstream. Else all of it, or nothing. */
  readonly isAnyEnough?: boolean;
}

/** The client's address, where something in front of the Worker tells it, whatever the client sent. */
export function addressOf({ config }: Context, request: Request): string | undefined {
  const { clientAddressHeader } = config;
  return clientAddressHeader === "" ? undefined : (request.headers.get(clientAddressHeader) ?? undefined);
}

/** The repositories whose rules matter: those in question, and the one that a mount is from. */
function repositoriesOf({ accesses, url }: AuthorizeRequest): RepositoryName[] {
  const from = url.searchParams.get("from") ?? "";
  const names = accesses.flatMap((access) => (access.type === "repository" ? [access.name] : []));
  return [...names, ...(isRepositoryName(from) ? [from] : [])];
}

function callerOf(
  identity: Identity,
  upstreams: readonly Upstream[],
  scheme: Caller["scheme"],
  allows: Caller["allows"],
): Caller {
  const { actor, role, credentialId } = identity;
  const visibility = visibilityOf(identity, upstreams);
  return { actor, role, credentialId, scheme, visibility, allows, mayPullAnything: role === "admin" };
}

/** A caller whose rights are those of the rules. */
function callerWith(authority: Authority, upstreams: readonly Upstream[]): Caller {
  const allows = (access: Access): boolean => {
    if (access.type === "registry") return !isAnonymous(authority.identity);
    const allowed = actionsOf(authority, access.name, upstreams);
    return access.actions.every((action) => allowed.includes(action));
  };
  return callerOf(authority.identity, upstreams, "basic", allows);
}

/** The caller that the request proves to be, by Basic or Bearer. Asks no database for a token of the token endpoint. */
async function authenticate(context: Context, wanted: AuthorizeRequest): Promise<Authentication> {
  const authorization = wanted.request.headers.get("Authorization") ?? "";
  if (authorization.length > AUTHORIZATION_MAX_LENGTH) {
    return { kind: "rejected", error: undefined, message: "the Authorization header is too long" };
  }
  const bearer = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (bearer !== undefined && !isAccessToken(bearer)) return await authenticateBearer(context, bearer);
  const credentials = bearer === undefined ? parseBasic(authorization) : { username: "", password: bearer };
  if (credentials === "none") return { kind: "anonymous" };
  if (credentials === "malformed") return { kind: "rejected", error: undefined, message: MALFORMED_BASIC };
  const { url, request } = wanted;
  const login = { repositories: repositoriesOf(wanted), origin: url.origin, address: addressOf(context, request) };
  return toAuthentication(await identify(context, credentials, login), context.config.upstreams);
}

function toAuthentication(found: Identification, upstreams: readonly Upstream[]): Authentication {
  if (found.kind === "rejected") return { kind: "rejected", error: undefined, message: found.message };
  return { kind: "caller", caller: callerWith(found.authority, upstreams) };
}

async function authenticateBearer({ config, now }: Context, text: string): Promise<Authentication> {
  const token = await verifyToken(config, text, now());
  if (!token) return { kind: "rejected", error: "invalid_token", message: "the token is invalid or has expired" };
  const { identity, access } = token;
  return { kind: "caller", caller: callerOf(identity, config.upstreams, "bearer", (wanted) => covers(access, wanted)) };
}

/** A client that pushes looks first at what is there: it is told to ask for both, as all registries tell it. */
function askedFor(access: Access): Access {
  if (access.type !== "repository" || !access.actions.includes("push")) return access;
  return { ...access, actions: ["pull", "push"] };
}

interface Challenge {
  readonly origin: string;
  /** What the client should ask a token for; nothing in particular for a log-in. */
  readonly accesses: readonly Access[];
  readonly error: "invalid_token" | "insufficient_scope" | undefined;
  readonly message?: string | undefined;
}

/**
 * 401 with the challenge of Docker's token specification. Bearer alone, with every parameter quoted: some clients read
 * only the first challenge, and a Basic one makes others give up anonymous pulls.
 */
function unauthorized({ origin, accesses, error, message }: Challenge): OciError {
  const scope = accesses.map((access) => formatScope(askedFor(access))).join(" ");
  const parameters = [
    `realm="${origin}/token"`,
    `service="${TOKEN_SERVICE}"`,
    ...(scope === "" ? [] : [`scope="${scope}"`]),
    ...(error ? [`error="${error}"`] : []),
  ];
  return new OciError("UNAUTHORIZED", {
    ...(message !== undefined && { message }),
    ...(accesses.length > 0 && { detail: accesses.map(toDetail) }),
    headers: { "WWW-Authenticate": `Bearer ${parameters.join(",")}` },
  });
}

/** The words in which Docker's registry says what was missing. */
function toDetail({ type, name, actions }: Access): Record<"Type" | "Name" | "Action", string> {
  return { Type: type, Name: name, Action: actions.join(",") };
}

/** Whoever sends no credentials, if anyone may do what is wanted. Only to pull: the rest is worth a challenge. One D1 query. */
async function findAnonymousCaller(context: Context, wanted: AuthorizeRequest): Promise<Caller | undefined> {
  const { accesses } = wanted;
  const isPull = ({ type, actions }: Access) => type === "repository" && actions.join() === "pull";
  if (accesses.length === 0 || !accesses.every(isPull)) return undefined;
  const rules = await findRules(context.db, [], repositoriesOf(wanted));
  const caller = callerWith({ identity: ANONYMOUS, rules }, context.config.upstreams);
  return refusedOf(caller, wanted).length === 0 ? caller : undefined;
}

/** What of the wanted access keeps a caller out. */
function refusedOf(caller: Caller, { accesses, isAnyEnough = false }: AuthorizeRequest): readonly Access[] {
  const refused = accesses.filter((access) => !caller.allows(access));
  return isAnyEnough && refused.length < accesses.length ? [] : refused;
}

/**
 * Lets a request pass that may do what it wants. What it says to one that may not is the same whether or not there is such a
 * repository.
 * @throws OciError UNAUTHORIZED with a challenge; DENIED for one that may not, and has proved itself without a token.
 */
export async function authorize(context: Context, wanted: AuthorizeRequest): Promise<Caller> {
  const { accesses, url } = wanted;
  const { origin } = url;
  const authentication = await authenticate(context, wanted);
  switch (authentication.kind) {
    case "anonymous": {
      const caller = await findAnonymousCaller(context, wanted);
      if (caller) return caller;
      throw unauthorized({ origin, accesses, error: undefined });
    }
    case "rejected":
      throw unauthorized({ origin, accesses, error: authentication.error, message: authentication.message });
    case "caller": {
      const { caller } = authentication;
      const isKnown = caller.actor.name !== ANONYMOUS.actor.name;
      const isToBeKnown = accesses.length === 0;
      const refused = refusedOf(caller, wanted);
      if (isToBeKnown ? isKnown : refused.length === 0) return caller;
      // A token that was given to nobody proves nothing.
      if (isToBeKnown) throw unauthorized({ origin, accesses, error: undefined });
      if (caller.scheme === "basic") throw new OciError("DENIED", { detail: refused.map(toDetail) });
      const message = isKnown ? "requested access to the resource is denied" : undefined;
      throw unauthorized({ origin, accesses, error: "insufficient_scope", message });
    }
  }
}

/** What a token must be for, any of these, to search; the first is what a challenge asks for. */
export const TO_SEARCH: readonly [Access, ...Access[]] = [SEARCH_ACCESS, CATALOG_ACCESS, API_ACCESS];

/** What a token must be for to read by the API. */
export const TO_READ: readonly [Access, ...Access[]] = [API_ACCESS];

/**
 * Lets everybody pass, as who they prove to be: without credentials, or with a token that was given to nobody, as nobody. What they may
 * read is for the rules to say.
 * @param purposes what a token must be for, any of them.
 * @throws OciError UNAUTHORIZED for credentials that are wrong, and for a token that is for something else.
 */
export async function authorizeReader(
  context: Context,
  { request, url }: Omit<AuthorizeRequest, "accesses">,
  purposes: readonly [Access, ...Access[]],
): Promise<Caller> {
  const { origin } = url;
  const [access] = purposes;
  const authentication = await authenticate(context, { request, url, accesses: [] });
  switch (authentication.kind) {
    case "anonymous":
      return ANYONE;
    case "rejected":
      throw unauthorized({
        ...{ origin, accesses: [access], error: authentication.error, message: authentication.message },
      });
    case "caller": {
      const { caller } = authentication;
      if (caller.actor.name === ANONYMOUS.actor.name) return ANYONE;
      if (purposes.some((purpose) => caller.allows(purpose))) return caller;
      const message = "requested access to the resource is denied";
      throw unauthorized({ origin, accesses: [access], error: "insufficient_scope", message });
    }
  }
}

/** 401 for whoever has sent nothing, and could find something only as someone. */
export function challengeForSearch({ origin }: URL): OciError {
  const message = "nothing that anyone may pull is found by this: log in";
  return unauthorized({ origin, accesses: [SEARCH_ACCESS], error: undefined, message });
}

/** Whoever asks for something that is open to all. */
export const ANYONE: Caller = callerWith({ identity: ANONYMOUS, rules: [] }, []);
