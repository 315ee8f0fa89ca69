import { env, exports } from "cloudflare:workers";

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

/** Sends a request to the real Worker, without credentials. */
export async function sendAnonymously(method: string, path: string, sent: Sent = {}): Promise<Response> {
  return await exports.default.fetch(
    new Request(new URL(path, ORIGIN), {
      method,
      headers: sent.headers ?? {},
      body: sent.body ?? null,
      redirect: "manual",
    }),
  );
}

/** Sends a request to the real Worker as the admin. */
export async function send(method: string, path: string, sent: Sent = {}): Promise<Response> {
  return await sendAnonymously(method, path, { ...sent, headers: { Authorization: basicAuth(), ...sent.headers } });
}
