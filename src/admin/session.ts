import * as v from "valibot";
import { addressOf } from "../auth/authenticate.ts";
import type { Identity } from "../auth/identity.ts";
import { parseScopes, SCOPES_MAX } from "../auth/scope.ts";
import { grantBySession, openSession, SESSION_CHALLENGE } from "../auth/session.ts";
import { OciError } from "../oci/error.ts";
import type { Call } from "../protocol/call.ts";
import { endpoint, type Endpoint } from "./endpoint.ts";

/** The one cookie there is. The page's scripts cannot read it, and it is sent to the routes below and to no other. */
const COOKIE = "stowage_session";

/**
 * RFC 6265, section 4.1. Over plain HTTP, as to a registry on this machine, a browser keeps no cookie that is Secure. Behind a proxy
 * that ends TLS, the page's origin says that the browser came by it.
 */
function setCookie({ url, request }: Call, value: string, maxAgeSeconds: number): Record<"Set-Cookie", string> {
  const isSecure = url.protocol === "https:" || request.headers.get("Origin")?.startsWith("https:") === true;
  const secure = isSecure ? "; Secure" : "";
  const attributes = `Path=/api/session; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
  return { "Set-Cookie": `${COOKIE}=${value}; ${attributes}` };
}

const clearCookie = (call: Call) => setCookie(call, "", 0);

/** The session that the request's cookie holds; undefined for none. */
function readCookie({ request }: Call): string | undefined {
  const pairs = (request.headers.get("Cookie") ?? "").split(";").map((pair) => pair.trim());
  const value = pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
  return value === "" ? undefined : value;
}

/** A proxy that ends TLS passes plain HTTP on, so the scheme says nothing. */
function isForeign(origin: string, { host }: URL): boolean {
  return URL.parse(origin)?.host !== host;
}

/**
 * Refuses what a page of another origin sends. SameSite keeps the cookie from it already; beside that, a browser says in one of
 * these headers, or in both, where a request comes from, and asks before it sends JSON elsewhere (protocol/cors.ts says no). What
 * sends neither header is no browser, and holds no cookie that it was not given on purpose.
 */
function assertOwnPage({ request, url }: Call): void {
  const site = request.headers.get("Sec-Fetch-Site") ?? "none";
  const origin = request.headers.get("Origin");
  if (!["same-origin", "none"].includes(site) || (origin !== null && isForeign(origin, url))) {
    throw new OciError("DENIED", { message: "sessions are for the registry's own page" });
  }
  const isJson = /^application\/json *(?:;|$)/i.test(request.headers.get("Content-Type") ?? "");
  if (request.method === "POST" && !isJson) {
    throw new OciError("REQUEST_INVALID", { message: "send JSON, with Content-Type: application/json" });
  }
}

/** An endpoint that answers to no page but the registry's own. */
function ofOwnPage(inner: Endpoint): Endpoint {
  const handler = async (call: Call): Promise<Response> => {
    assertOwnPage(call);
    return await inner(call);
  };
  return Object.assign(handler, { description: inner.description });
}

const Signed = v.object({ actor: v.string(), role: v.nullable(v.picklist(["admin", "member"])) });

function toSigned({ actor, role }: Identity): v.InferOutput<typeof Signed> {
  return { actor: actor.name, role: role ?? null };
}

export const signIn = ofOwnPage(
  endpoint(
    {
      summary: "Signs in a browser: the session is kept in a cookie that only these routes get.",
      body: v.strictObject({
        username: v.pipe(v.string(), v.description("An account, or anything with an access token.")),
        password: v.pipe(v.string(), v.description("Its password, or an access token.")),
      }),
      answer: v.object({ ...Signed.entries, expiresAt: v.string() }),
    },
    async (call) => {
      const { context, request, url, body } = call;
      const login = { origin: url.origin, address: addressOf(context, request) };
      const { identity, session } = await openSession(context, body, login);
      const { text, expiresAt } = session;
      const maxAgeSeconds = Math.floor((expiresAt.getTime() - context.now()) / 1000);
      const headers = { "Cache-Control": "no-store", ...setCookie(call, text, maxAgeSeconds) };
      return Response.json({ ...toSigned(identity), expiresAt: expiresAt.toISOString() }, { headers });
    },
  ),
);

export const signOut = ofOwnPage(
  endpoint(
    { summary: "Signs out a browser: clears its cookie.", status: 204 },
    // eslint-disable-next-line @typescript-eslint/require-await -- a handler
    async (call) => new Response(null, { status: 204, headers: { "Cache-Control": "no-store", ...clearCookie(call) } }),
  ),
);

export const getSessionToken = ofOwnPage(
  endpoint(
    {
      summary: "Gives the page a bearer token: for whoever has signed in, by the cookie, or for anyone.",
      body: v.strictObject({
        scopes: v.pipe(
          v.array(v.string()),
          v.maxLength(SCOPES_MAX, `give at most ${SCOPES_MAX} scopes`),
          v.description("As at /token; what is not granted is left out."),
        ),
      }),
      answer: v.object({
        ...{ token: v.string(), expiresAt: v.string() },
        caller: v.pipe(v.nullable(Signed), v.description("null: nobody has signed in.")),
      }),
    },
    async (call) => {
      const granted = await grantBySession(call.context, readCookie(call), parseScopes(call.body.scopes));
      if (!granted) throw new OciError("SESSION_ENDED", { headers: { ...SESSION_CHALLENGE, ...clearCookie(call) } });
      const { issued, identity } = granted;
      const expiresAt = new Date(issued.issuedAt.getTime() + issued.expiresIn * 1000).toISOString();
      return { token: issued.token, expiresAt, caller: identity ? toSigned(identity) : null };
    },
  ),
);
