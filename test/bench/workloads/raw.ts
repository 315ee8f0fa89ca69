import { randomUUID } from "node:crypto";
import type { BenchServer } from "../servers/server.ts";
import { atOnce, DOWNLOADS_AT_ONCE, UPLOADS_AT_ONCE } from "./client.ts";
import type { Blob } from "./content.ts";
import { Connections, drain } from "./http.ts";
import { secondsOf } from "./workload.ts";

/** How a Worker that does nothing else puts the same bytes into R2: in one put, or where their number is unknown, in parts. */
export type Raw = "objects" | "parts";

export const RAW_WAYS: Readonly<Record<Raw, string>> = { objects: "one R2 put", parts: "R2 multipart" };

/** Blobs into R2 and out of it, as many at a time as a client has; in seconds. */
export async function transferRaw(
  server: BenchServer,
  raw: Raw,
  blobs: readonly Blob[],
): Promise<{ push: number; pull: number; broken: number }> {
  const connections = new Connections(server.url, UPLOADS_AT_ONCE);
  const objects = blobs.map((blob) => ({ blob, path: `/${raw}/${randomUUID()}` }));
  const push = await secondsOf(async () => {
    await atOnce(UPLOADS_AT_ONCE, objects, async ({ blob, path }) => {
      const headers = { "content-length": String(blob.descriptor.size) };
      await drain(await connections.send({ method: "PUT", headers, body: blob, expected: [201], path }));
    });
  });
  const pull = await secondsOf(async () => {
    await atOnce(DOWNLOADS_AT_ONCE, objects, async ({ path }) => {
      await drain(await connections.send({ method: "GET", expected: [200], path }));
    });
  });
  await connections.close();
  return { push, pull, broken: connections.broken };
}
