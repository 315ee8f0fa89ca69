import { PART_SIZE_BYTES } from "../../../../src/oci/upload-session.ts";

interface Bindings {
  readonly BUCKET: R2Bucket;
  readonly DB: D1Database;
}

/**
 * Handlers to measure the registry's against. `/empty`: nothing; `/row`: one D1 query by primary key; `/objects/…`: a body
 * into R2, and out of it; `/parts/…`: the same, by a multipart upload, as R2 takes a body of unknown length.
 */
export default {
  async fetch(request, { BUCKET, DB }) {
    if (request.url.endsWith("/empty")) return new Response();
    const { pathname } = new URL(request.url);
    if (pathname === "/row") {
      const query = DB.prepare("SELECT value FROM rows WHERE key = ?1").bind("manifest");
      return new Response(await query.first<string>("value"));
    }
    if (request.method === "PUT") {
      if (pathname.startsWith("/parts/")) await putParts(BUCKET, pathname, request.body!);
      else await BUCKET.put(pathname, request.body);
      return new Response(null, { status: 201 });
    }
    const object = await BUCKET.get(pathname);
    return new Response(object?.body ?? null, { status: object === null ? 404 : 200 });
  },
} satisfies ExportedHandler<Bindings>;

async function putParts(bucket: R2Bucket, key: string, body: ReadableStream): Promise<void> {
  const upload = await bucket.createMultipartUpload(key);
  const reader = body.getReader({ mode: "byob" });
  const parts: R2UploadedPart[] = [];
  for (;;) {
    const { value, done } = await reader.readAtLeast(PART_SIZE_BYTES, new Uint8Array(PART_SIZE_BYTES));
    if (value !== undefined && value.byteLength > 0) parts.push(await upload.uploadPart(parts.length + 1, value));
    if (done) break;
  }
  await upload.complete(parts);
}
