import type { Access } from "../auth/access.ts";
import { addressOf } from "../auth/authenticate.ts";
import { parseBasic } from "../auth/basic.ts";
import { parseScopes, withMirrors } from "../auth/scope.ts";
import { type Granted, grantToken, refreshToken } from "../auth/token-service.ts";
import { type Call, readBody } from "./call.ts";

/** Clients of either specification find the token under the name that they know. */
function answer({ token, issuedAt, expiresIn, refreshToken: kept }: Granted): Response {
  const body = {
    ...{ token, access_token: token, expires_in: expiresIn, issued_at: issuedAt.toISOString() },
    ...(kept !== undefined && { refresh_token: kept }),
  };
  return Response.json(body, { headers: { "Cache-Control": "no-store" } });
}

function wantedBy({ url, context }: Pick<Call, "url" | "context">, scopes: readonly string[]): Access[] {
  return withMirrors(parseScopes(scopes), context.config.upstreams, url.hostname);
}

/** Docker's "Token Authentication Specification": GET with Basic, and one `scope` for each resource. */
export async function getToken({ request, url, context }: Call): Promise<Response> {
  const credentials = parseBasic(request.headers.get("Authorization"));
  const issued = await grantToken(context, credentials, {
    wanted: wantedBy({ url, context }, url.searchParams.getAll("scope")),
    wantsRefreshToken: url.searchParams.get("offline_token") === "true",
    login: { origin: url.origin, address: addressOf(context, request) },
  });
  return answer(issued);
}

/** RFC 6749, section 5.2: how the form endpoint says no. containerd then falls back to GET. */
function oauthError(error: string, description: string): Response {
  return Response.json(
    { error, error_description: description },
    { status: 400, headers: { "Cache-Control": "no-store" } },
  );
}

/** A form is a few hundred bytes; tokens of other issuers that serve as passwords are a few thousand. */
const FORM_MAX_BYTES = 64 * 1024;

/**
 * Docker's "OAuth2 Token Authentication": POST with a form, and scopes in one text, or in several. Podman and skopeo, with
 * the log-in that Docker kept, send the form chunked.
 */
export async function postToken({ request, url, context }: Call): Promise<Response> {
  const body = await readBody(request, FORM_MAX_BYTES);
  if (body === undefined) return oauthError("invalid_request", "the form is too large");
  const form = new URLSearchParams(new TextDecoder().decode(body));
  const wanted = wantedBy({ url, context }, form.getAll("scope"));
  switch (form.get("grant_type")) {
    case "password": {
      const credentials = { username: form.get("username") ?? "", password: form.get("password") ?? "" };
      const login = { origin: url.origin, address: addressOf(context, request) };
      const wantsRefreshToken = form.get("access_type") === "offline";
      return answer(await grantToken(context, credentials, { wanted, wantsRefreshToken, login }));
    }
    case "refresh_token":
      return answer(await refreshToken(context, form.get("refresh_token") ?? "", { wanted }));
    default:
      return oauthError("unsupported_grant_type", "use grant_type=password or refresh_token, or GET with Basic");
  }
}
