import { reach, successful } from "./http.ts";
import { bearerFor, forgetBearers } from "./tokens.ts";

export { ApiError } from "./http.ts";

/** The scope of the admin API. */
const API_SCOPE = "registry:api:*";

interface Asking {
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** What a bearer token must be for; the admin API, if nothing is said. */
  readonly scope?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the registry, as whoever is signed in.
 * @throws ApiError for every answer that is none of success; its message can be shown.
 */
export async function ask(path: string, asking: Asking = {}): Promise<Response> {
  const response = await send(path, asking);
  if (response.status !== 401) return await successful(response);
  // A token that ended early: of a password changed elsewhere, or of a clock that is wrong. A new one tells.
  forgetBearers();
  return await successful(await send(path, asking));
}

async function send(
  path: string,
  { method = "GET", body, scope = API_SCOPE, headers, signal }: Asking,
): Promise<Response> {
  const bearer = await bearerFor(scope);
  return await reach(path, {
    method,
    credentials: "omit",
    headers: {
      ...headers,
      ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
      ...(body !== undefined && { "Content-Type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  });
}

/** GET as JSON. */
export async function get<T>(path: string, query: Query = {}, asking: Asking = {}): Promise<T> {
  const response = await ask(path + toQuery(query), asking);
  return (await response.json()) as T;
}

/** A page of a list. */
export interface Listed<T> {
  readonly body: T;
  /** What to give as `last` for the next one; undefined at the end. */
  readonly next: string | undefined;
}

/** GET of a page of a list. */
export async function list<T>(path: string, query: Query, signal?: AbortSignal): Promise<Listed<T>> {
  const response = await ask(path + toQuery(query), { signal });
  return { body: (await response.json()) as T, next: nextPage(response)?.searchParams.get("last") ?? undefined };
}

/** The address of the next page of a list; undefined at the end. */
export function nextPage(response: Response): URL | undefined {
  const link = /<([^>]+)>;\s*rel="?next"?/.exec(response.headers.get("Link") ?? "")?.[1];
  return link === undefined ? undefined : new URL(link, location.origin);
}

/** Sends JSON; the answer's JSON, or undefined for an answer without. */
export async function change<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  const response = await ask(path, { method, body });
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** `?a=b`, without what is undefined or empty. */
export function toQuery(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") params.set(name, String(value));
  }
  return params.size === 0 ? "" : `?${params.toString()}`;
}

/** A name of a repository within a path. */
export const inPath = (name: string): string => name.split("/").map(encodeURIComponent).join("/");
