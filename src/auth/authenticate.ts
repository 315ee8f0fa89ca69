import type { Context } from "../context.ts";
import { OciError } from "../oci/error.ts";
import { type Access, ADMIN_ACCOUNT, type Caller } from "./access.ts";
import { parseBasic, verifyCredentials } from "./basic.ts";
import { covers, formatScope } from "./scope.ts";
import { TOKEN_SERVICE, verifyToken } from "./token.ts";

/** What a request's Authorization header came to. */
type Authentication =
  | { readonly kind: "caller"; readonly caller: Caller; readonly scheme: "basic" | "bearer" }
  | { readonly kind: "anonymous" }
  | { readonly kind: "rejected"; readonly error: "invalid_token" | undefined; readonly message: string };

/** The caller that the request proves to be, by Basic or Bearer. Asks no database for a Bearer token. */
async function authenticate({ config, now }: Context, authorization: string | null): Promise<Authentication> {
  const bearer = /^bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (bearer !== undefined) {
    const token = await verifyToken(config, bearer, now());
    if (!token) return { kind: "rejected", error: "invalid_token", message: "the token is invalid or has expired" };
    const { account, access } = token;
    if (account === undefined) return { kind: "anonymous" };
    const caller = {
      account,
      allows: (wanted: Access) => covers(access, wanted),
      mayPullAnything: account === ADMIN_ACCOUNT,
    };
    return { kind: "caller", scheme: "bearer", caller };
  }
  const credentials = parseBasic(authorization);
  if (!credentials) return { kind: "anonymous" };
  const account = await verifyCredentials(config, credentials);
  if (account === undefined) return { kind: "rejected", error: undefined, message: "wrong username or password" };
  return { kind: "caller", scheme: "basic", caller: { account, allows: () => true, mayPullAnything: true } };
}

/** A client that pushes looks first at what is there: it is told to ask for both, as all registries tell it. */
function askedFor(access: Access): Access {
  if (access.type !== "repository" || !access.actions.includes("push")) return access;
  return { ...access, actions: ["pull", "push"] };
}

interface Challenge {
  readonly origin: string;
  /** What the client should ask a token for; nothing in particular for a log-in. */
  readonly access: Access | undefined;
  readonly error: "invalid_token" | "insufficient_scope" | undefined;
  readonly message?: string | undefined;
}

/**
 * 401 with the challenge of Docker's token specification. Bearer alone, with every parameter quoted: some clients read
 * only the first challenge, and a Basic one makes others give up anonymous pulls.
 */
function unauthorized({ origin, access, error, message }: Challenge): OciError {
  const parameters = [
    `realm="${origin}/token"`,
    `service="${TOKEN_SERVICE}"`,
    ...(access ? [`scope="${formatScope(askedFor(access))}"`] : []),
    ...(error ? [`error="${error}"`] : []),
  ];
  return new OciError("UNAUTHORIZED", {
    ...(message !== undefined && { message }),
    ...(access && { detail: [toDetail(access)] }),
    headers: { "WWW-Authenticate": `Bearer ${parameters.join(",")}` },
  });
}

/** The words in which Docker's registry says what was missing. */
function toDetail({ type, name, actions }: Access): Record<"Type" | "Name" | "Action", string> {
  return { Type: type, Name: name, Action: actions.join(",") };
}

/**
 * Lets a request pass that may do what it wants; `access` undefined asks only for an account.
 * @param origin where the token endpoint lies.
 * @throws OciError UNAUTHORIZED with a challenge; DENIED for an account that may not, and has proved itself by Basic.
 */
export async function authorize(
  context: Context,
  request: Request,
  origin: string,
  access: Access | undefined,
): Promise<Caller> {
  const authentication = await authenticate(context, request.headers.get("Authorization"));
  switch (authentication.kind) {
    case "anonymous":
      throw unauthorized({ origin, access, error: undefined });
    case "rejected":
      throw unauthorized({ origin, access, error: authentication.error, message: authentication.message });
    case "caller": {
      const { caller, scheme } = authentication;
      if (access === undefined || caller.allows(access)) return caller;
      if (scheme === "basic") throw new OciError("DENIED");
      throw unauthorized({ origin, access, error: "insufficient_scope", message: "the token does not allow this" });
    }
  }
}
