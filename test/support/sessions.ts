import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { answerOf } from "./api.ts";
import { expectStatus, ORIGIN, sendAnonymously } from "./registry.ts";

/** What a browser sends with what the registry's own page asks for. */
export const OWN_PAGE = { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json" };

/** A cookie that came with an answer. */
export interface SetCookie {
  readonly value: string;
  /** `HttpOnly`, `Path=/`, …, in the order of the alphabet. */
  readonly attributes: readonly string[];
}

/** The session's cookie that an answer sets; undefined where it sets none. */
export function cookieOf(response: Response): SetCookie | undefined {
  const header = response.headers.get("Set-Cookie");
  if (header === null) return undefined;
  const [pair = "", ...attributes] = header.split("; ");
  expect(pair).toMatch(/^stowage_session=[\w.-]*$/);
  return { value: pair.slice(pair.indexOf("=") + 1), attributes: attributes.toSorted() };
}

/** A request of the page for a session. */
export async function signIn(
  username: string,
  password: string,
  headers: Readonly<Record<string, string>> = OWN_PAGE,
): Promise<Response> {
  const body = JSON.stringify({ username, password });
  return await sendAnonymously("POST", "/api/session", { headers, body });
}

/** The headers of a page whose browser keeps this session. */
export function keeping(session: string): Readonly<Record<string, string>> {
  return { ...OWN_PAGE, Cookie: `theme=dark; stowage_session=${session}; other=1` };
}

/** The session of someone who signs in. */
export async function sessionOf({ username, password }: { username: string; password: string }): Promise<string> {
  return cookieOf(await expectStatus(await signIn(username, password), 200))!.value;
}

/** What the page gets for scopes. */
export interface SessionToken {
  readonly token: string;
  readonly expiresAt: string;
  readonly caller: { readonly actor: string; readonly role: string | null } | null;
}

/** A request of the page for a token. */
export async function askSessionToken(
  scopes: readonly string[],
  headers: Readonly<Record<string, string>> = OWN_PAGE,
): Promise<Response> {
  return await sendAnonymously("POST", "/api/session/token", { headers, body: JSON.stringify({ scopes }) });
}

/** The token for scopes by a session, or by none. */
export async function sessionToken(session: string | undefined, ...scopes: string[]): Promise<SessionToken> {
  return await answerOf(await askSessionToken(scopes, session === undefined ? OWN_PAGE : keeping(session)));
}

/** The admin, as one who signs in. */
export const ADMIN = { username: "admin", password: env.ADMIN_PASSWORD };
