import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { partBuffers } from "../../src/storage/part-buffers.ts";
import { expectError, freshRepository, sendWith } from "./registry.ts";
import { rows } from "./uploads.ts";

async function storedKeys(): Promise<Set<string>> {
  const keys = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await env.BUCKET.list({ prefix: "blobs/", ...(cursor !== undefined && { cursor }) });
    for (const { key } of page.objects) keys.add(key);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return keys;
}

/** What a request left in the bucket, and nothing will ever delete. */
export async function leftBy(request: () => Promise<void>): Promise<string[]> {
  const before = await storedKeys();
  await request();
  const known = await rows<{ key: string }>(
    "SELECT object_key AS key FROM discarded_objects UNION ALL SELECT object_key FROM blobs",
  );
  const keys = new Set(known.map(({ key }) => key));
  return [...(await storedKeys())].filter((key) => !before.has(key) && !keys.has(key));
}

/** Refused with this code, and nothing is left: no repository, no object, no memory. */
export async function expectRefused(body: Uint8Array | ReadableStream, status: number, code: string): Promise<string> {
  const repository = freshRepository();
  let message = "";
  const left = await leftBy(async () => {
    ({ message } = await expectError(await sendWith({}, "PUT", `/archive/${repository}:v1`, { body }), status, code));
  });
  expect(left).toEqual([]);
  expect(await rows("SELECT 1 FROM repositories WHERE name = ?1", repository)).toEqual([]);
  expect(partBuffers.heldBytes).toBe(0);
  return message;
}
