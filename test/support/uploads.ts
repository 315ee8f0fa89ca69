import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { expectStatus, send, sendWith, type Sent } from "./registry.ts";

/** Opens an upload session; gives its Location. */
export async function startUpload(repository: string, query = ""): Promise<string> {
  const response = await expectStatus(await send("POST", `/v2/${repository}/blobs/uploads/${query}`), 202);
  return response.headers.get("Location")!;
}

/** The id of a session, from its Location. */
export function sessionId(location: string): string {
  return location.slice(location.lastIndexOf("/") + 1);
}

/** The `<first>-<last>` of a chunk. */
export function contentRange(offset: number, length: number): Record<string, string> {
  return { "Content-Range": `${offset}-${offset + length - 1}` };
}

/** A body whose length nobody states: chunked, over HTTP. */
export function streamOf(bytes: Uint8Array, pieceSize = 64 * 1024): ReadableStream {
  let position = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (position < bytes.byteLength) controller.enqueue(bytes.slice(position, (position += pieceSize)));
      else controller.close();
    },
  });
}

/** A body that breaks off after these bytes. */
export function brokenStream(bytes: Uint8Array, pieceSize = 64 * 1024): ReadableStream {
  let position = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (position < bytes.byteLength) controller.enqueue(bytes.slice(position, (position += pieceSize)));
      else controller.error(new Error("the connection broke"));
    },
  });
}

/** A body that a test feeds by hand. */
export function handFedBody(): {
  body: ReadableStream;
  write: (bytes: Uint8Array) => Promise<void>;
  close: () => Promise<void>;
} {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  return {
    body: readable,
    write: async (bytes) => await writer.write(bytes),
    close: async () => await writer.close(),
  };
}

export async function patch(location: string, body: BodyInit, headers: Sent["headers"] = {}): Promise<Response> {
  return await send("PATCH", location, { body, headers });
}

/** A PATCH that reaches the handler without HTTP between, so that its body can break off. */
export async function patchBroken(
  location: string,
  body: ReadableStream,
  headers: Sent["headers"] = {},
): Promise<Response> {
  return await sendWith({}, "PATCH", location, { body, headers });
}

export async function finish(location: string, digest: string, sent: Sent = {}): Promise<Response> {
  return await send("PUT", `${location}?digest=${digest}`, sent);
}

/** How many bytes a session says it has, by GET. Of none and of one byte it says the same: `0-0`. */
export async function received(location: string): Promise<number> {
  const response = await expectStatus(await send("GET", location), 204);
  const last = /^0-(\d+)$/.exec(response.headers.get("Range") ?? "")?.[1];
  expect(response.headers.get("Location")).toBe(location);
  return Number(last) === 0 ? 0 : Number(last) + 1;
}

/** Expects that a blob can be pulled, and has exactly these bytes. */
export async function expectBlob(repository: string, digest: string, bytes: Uint8Array): Promise<void> {
  const response = await expectStatus(await send("GET", `/v2/${repository}/blobs/${digest}`), 200);
  expect(response.headers.get("Content-Length")).toBe(String(bytes.byteLength));
  expect(response.headers.get("Docker-Content-Digest")).toBe(digest);
  const stored = new Uint8Array(await response.arrayBuffer());
  expect(isEqual(stored, bytes), "the bytes are those that were pushed").toBe(true);
}

/** Compares large buffers without the help of a differ. */
export function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && crypto.subtle.timingSafeEqual(left, right);
}

/** All keys in the bucket. */
export async function storedKeys(): Promise<string[]> {
  const keys: string[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await env.BUCKET.list(cursor === undefined ? {} : { cursor });
    keys.push(...page.objects.map(({ key }) => key));
    if (!page.truncated) return keys.sort();
    ({ cursor } = page);
  }
}

/** What the bucket has now beside these: what other tests have left may go meanwhile. */
export async function keysBeside(before: readonly string[]): Promise<string[]> {
  return (await storedKeys()).filter((key) => !before.includes(key));
}

/** Rows of a statement. */
export async function rows<T>(sql: string, ...parameters: unknown[]): Promise<T[]> {
  const { results } = await env.DB.prepare(sql)
    .bind(...parameters)
    .all<T>();
  return results;
}

/** Waits until a request holds the session. */
export async function untilHeld(location: string): Promise<void> {
  const sql = "SELECT id FROM upload_sessions WHERE id = ?1 AND writer IS NOT NULL";
  while ((await rows(sql, sessionId(location))).length === 0) await scheduler.wait(2);
}

/** Ends the time that a session was given. */
export async function expire(location: string): Promise<void> {
  await env.DB.prepare("UPDATE upload_sessions SET expires_at = 1 WHERE id = ?1").bind(sessionId(location)).run();
}
