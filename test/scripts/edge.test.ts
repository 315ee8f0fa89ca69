import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Answer, send as sendTo } from "./support/http.ts";
import { makeFolder, startStowage } from "./support/server.ts";

const PASSWORD = "a password for the edge";
const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString("base64")}`;
let url = "";

/** Starts the registry behind an edge that takes a megabyte. */
async function startLimited(): Promise<void> {
  const flags = ["--limit-body", "1MB", "--var", `ADMIN_PASSWORD:${PASSWORD}`];
  url = await startStowage(["--port", "0", "--data", join(makeFolder(), "data"), ...flags]).ready();
}

/** Sends a body, of a stated length or chunked. */
async function send(method: string, path: string, body: Buffer | undefined, isChunked = false): Promise<Answer> {
  return await sendTo(new URL(path, url), { method, headers: { authorization }, body, isChunked });
}

const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

async function startUpload(): Promise<string> {
  const { headers } = await send("POST", "/v2/team/app/blobs/uploads/", undefined);
  return String(headers.location);
}

describe("a server that limits bodies as the edge does", () => {
  test("takes blobs in requests that are small enough, and gives them whole", async () => {
    await startLimited();
    const bytes = randomBytes(2_500_000);
    let location = await startUpload();
    for (let at = 0; at < bytes.length; at += 1_000_000) {
      const { status, headers } = await send("PATCH", location, bytes.subarray(at, at + 1_000_000), at === 0);
      expect(status).toBe(202);
      location = String(headers.location);
    }
    expect((await send("PUT", `${location}?digest=${digestOf(bytes)}`, undefined)).status).toBe(201);
    const blob = await send("GET", `/v2/team/app/blobs/${digestOf(bytes)}`, undefined);
    expect(digestOf(blob.body)).toBe(digestOf(bytes));
    // The case of headers is the runtime's: scripts look for them so.
    expect(blob.rawHeaders).toContain("Docker-Content-Digest");
  });

  test("refuses larger ones, whether or not they say so, and keeps nothing of them", async () => {
    await startLimited();
    for (const isChunked of [false, true]) {
      const location = await startUpload();
      const refused = await send("PATCH", location, randomBytes(1_500_000), isChunked);
      expect([refused.status, refused.headers["content-type"]]).toEqual([413, "text/html"]);
      const { status, headers } = await send("GET", location, undefined);
      expect(status).toBe(204);
      expect(Number(String(headers.range).replace(/^0-/, ""))).toBeLessThan(1_000_000);
    }
  });
});
