import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect } from "vitest";
import worker from "../../src/worker.ts";

/** The origin under which tests reach the Worker; any would do. */
export const ORIGIN = "http://registry.test";

/** What a test sends beside method and path. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit | null;
}

/** The admin's Basic credentials. */
export function basicAuth(username = "admin", password: string = env.ADMIN_PASSWORD): string {
  return `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
}

/** Basic credentials that nobody can read, by what they are. */
export const MALFORMED_BASIC: readonly [what: string, authorization: string][] = [
  ["without a colon", `Basic ${btoa("admin")}`],
  ["no base64", "Basic ***"],
  ["no UTF-8", `Basic ${btoa("admin:\xff")}`],
  ["without anything", "Basic"],
  ["two of them", `${basicAuth()} ${basicAuth()}`],
];

/** An address that no other request comes from, so that failed log-ins of one test block no other. */
function freshAddress(): string {
  const groups = crypto.getRandomValues(new Uint16Array(8));
  return Array.from(groups, (group) => group.toString(16)).join(":");
}

function toRequest(method: string, path: string, sent: Sent): Request {
  return new Request(new URL(path, ORIGIN), {
    method,
    headers: { "CF-Connecting-IP": freshAddress(), ...sent.headers },
    body: sent.body ?? null,
    redirect: "manual",
  });
}

/** Sends a request to the real Worker, without credentials. */
export async function sendAnonymously(method: string, path: string, sent: Sent = {}): Promise<Response> {
  return await exports.default.fetch(toRequest(method, path, sent));
}

/** Sends a request to the real Worker as the admin. */
export async function send(method: string, path: string, sent: Sent = {}): Promise<Response> {
  return await sendAnonymously(method, path, { ...sent, headers: { Authorization: basicAuth(), ...sent.headers } });
}

/**
 * Sends a request as the admin to a Worker with other settings. It calls the handler itself, without HTTP between: so a
 * body that breaks off does so for the Worker too.
 */
export async function sendWith(
  settings: Readonly<Record<string, unknown>>,
  method: string,
  path: string,
  sent: Sent = {},
): Promise<Response> {
  const headers = { Authorization: basicAuth(), ...sent.headers };
  const request = toRequest(method, path, { ...sent, headers }) as Parameters<typeof worker.fetch>[0];
  const execution = createExecutionContext();
  const response = await worker.fetch(request, { ...env, ...settings }, execution);
  await waitOnExecutionContext(execution);
  return response;
}

/** Runs what the cron trigger runs. */
export async function runSchedule(): Promise<void> {
  await worker.scheduled(createScheduledController(), env, createExecutionContext());
  await endGrace();
  await worker.scheduled(createScheduledController(), env, createExecutionContext());
}

/** Lets the time pass that a discarded object is kept. */
export async function endGrace(): Promise<void> {
  await env.DB.prepare("UPDATE discarded_objects SET discarded_at = 0").run();
}

/** A repository name that no other test uses. */
export function freshRepository(): string {
  return `test/r${crypto.randomUUID()}`;
}

interface ErrorEntry {
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
}

/** Expects the spec's error body with this status and code, and gives its one entry. */
export async function expectError(response: Response, status: number, code: string): Promise<ErrorEntry> {
  const text = await response.text();
  expect({ status: response.status, text }).toEqual({ status, text: expect.stringContaining(`"${code}"`) as string });
  expect(response.headers.get("Content-Type")).toBe("application/json");
  const body = JSON.parse(text) as { errors: ErrorEntry[] };
  expect(body).toEqual({ errors: [expect.objectContaining({ code, message: expect.any(String) as string })] });
  return body.errors[0]!;
}

/** Expects a status, and shows the body where it is another. */
export async function expectStatus(response: Response, status: number): Promise<Response> {
  if (response.status !== status) expect({ status: response.status, body: await response.text() }).toEqual({ status });
  return response;
}

/** The target of a `Link: <target>; rel="next"`; undefined without one. */
export function nextLink(response: Response): string | undefined {
  const header = response.headers.get("Link");
  if (header === null) return undefined;
  const target = /^<([^>]+)>; rel="next"$/.exec(header)?.[1];
  expect(target, header).toMatch(/^\/(v2|api)\//);
  return target;
}
