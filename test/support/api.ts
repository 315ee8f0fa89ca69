import { expect } from "vitest";
import { expectError, expectStatus, nextLink, send, sendAnonymously } from "./registry.ts";

/** A name of an account, a token or a trust rule that no other test uses. */
export function freshName(prefix = "n"): string {
  return `${prefix}-${crypto.randomUUID().slice(0, 18)}`;
}

/** A request of the admin API. A body is sent as JSON, but for a text, which is sent as it is. */
export async function callApi(
  method: string,
  target: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
): Promise<Response> {
  const path = `/api/${target}`;
  if (body === undefined) return headers ? await sendAnonymously(method, path, { headers }) : await send(method, path);
  const sent = { body: typeof body === "string" ? body : JSON.stringify(body) };
  const type = { "Content-Type": "application/json" };
  if (headers) return await sendAnonymously(method, path, { ...sent, headers: { ...type, ...headers } });
  return await send(method, path, { ...sent, headers: type });
}

/** The JSON of an answer that must have this status, and that no cache may keep. */
export async function answerOf<T>(response: Response, status = 200): Promise<T> {
  await expectStatus(response, status);
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  return await response.json<T>();
}

/** Expects 204, with nothing to keep. */
export async function expectDone(response: Response): Promise<void> {
  await expectStatus(response, 204);
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  expect(await response.text()).toBe("");
}

/** All pages of a list from a path on, as far as the Link headers lead; at most `max` of them. */
export async function readPages<T>(path: string, key: string, max = 50): Promise<T[][]> {
  const pages: T[][] = [];
  for (let next: string | undefined = `/api/${path}`; next !== undefined && pages.length < max;) {
    const response: Response = await send("GET", next);
    const answer: Record<string, T[]> = await answerOf(response);
    pages.push(answer[key]!);
    next = nextLink(response);
  }
  return pages;
}

interface Named {
  readonly name: string;
}

/** The entry of this name in a list. */
export async function findListed<T extends Named>(path: string, key: string, name: string): Promise<T | undefined> {
  return (await readPages<T>(path, key)).flat().find((entry) => entry.name === name);
}

/** Expects a list to come in pages, each entry once and in the order of names. `add` makes an entry. Gives all names. */
export async function expectPagesByName(
  path: string,
  key: string,
  add: (name: string) => Promise<unknown>,
): Promise<string[]> {
  const prefix = freshName("page");
  const names = ["a", "a-b", "a.b", "b", "c"].map((end) => `${prefix}-${end}`);
  for (const name of names) await add(name);
  const pages = await readPages<Named>(`${path}?n=2&last=${prefix}`, key, 3);
  expect(pages.map((page) => page.length).slice(0, 2)).toEqual([2, 2]);
  const after = pages.flat().map(({ name }) => name);
  expect(after.slice(0, 5)).toEqual(names);
  const all = (await readPages<Named>(`${path}?n=30`, key)).flat().map(({ name }) => name);
  expect(all).toEqual([...new Set(all)].toSorted());
  return all;
}

/** Expects the first error's message to hold all of these. */
export async function expectRefusal(response: Response, status: number, code: string, ...words: string[]) {
  const error = await expectError(response, status, code);
  for (const word of words) expect(error.message).toContain(word);
  return error;
}

/** Expects that a part of the body or query is refused, and that the detail says which. */
export async function expectInvalid(response: Response, path: string): Promise<void> {
  const { detail, message } = await expectError(response, 400, "REQUEST_INVALID");
  const details = detail as { path: string; message: string }[];
  expect(details[0]).toEqual({ path, message: expect.any(String) as string });
  expect(message).toBe(path === "" ? details[0]!.message : `${path}: ${details[0]!.message}`);
  // Words for whoever sent it, not for who knows the library that checks.
  expect(message).not.toMatch(/undefined|Expected|Received|Invalid (type|key|length)/);
}

/** The events about something that only this test did, oldest first. */
export async function eventsAbout(text: string, query = ""): Promise<AuditEvent[]> {
  const { events } = await answerOf<{ events: AuditEvent[] }>(await callApi("GET", `audit?n=1000${query}`));
  return events.filter((event) => JSON.stringify(event).includes(text)).reverse();
}

export interface AuditEvent {
  readonly id: number;
  readonly occurredAt: string;
  readonly actor: string;
  readonly credential: string;
  readonly action: string;
  readonly repository: string | null;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

export interface Repository {
  readonly name: string;
  readonly visibility: string;
  readonly upstream: string | null;
  readonly createdAt: string;
  readonly tags?: number;
  readonly manifests?: number;
  readonly size?: number;
  readonly immutableTags?: { readonly repository: string; readonly except: string[] }[];
  readonly expiringTags?: { readonly repository: string }[];
}

/** A repository, as the admin sees it. */
export async function showRepository(name: string): Promise<Repository> {
  return await answerOf(await callApi("GET", `repositories/${name}`));
}

/** Changes settings of a repository, or of a pattern. */
export async function setRepository(pattern: string, settings: object): Promise<Response> {
  return await callApi("PATCH", `repositories/${pattern}`, settings);
}
