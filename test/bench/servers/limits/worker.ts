interface Bindings {
  readonly BUCKET: R2Bucket;
  readonly DB: D1Database;
}

/**
 * Handlers to measure the registry's against. `/empty`: nothing; `/row`: one D1 query by primary key; `/objects/…`: a body
 * into R2, and out of it.
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
      await BUCKET.put(pathname, request.body);
      return new Response(null, { status: 201 });
    }
    const object = await BUCKET.get(pathname);
    return new Response(object?.body ?? null, { status: object === null ? 404 : 200 });
  },
} satisfies ExportedHandler<Bindings>;
