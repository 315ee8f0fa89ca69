import { describe, expect, it } from "vitest";
import {
  absent,
  type Algorithm,
  digestOf,
  image,
  OCI_CONFIG,
  pushBlob,
  pushManifest,
  randomBytes,
} from "../support/images.ts";
import { expectError, expectStatus, freshRepository, send } from "../support/registry.ts";
import { expectBlob } from "../support/uploads.ts";

const TEN = "0123456789";

describe.each<Algorithm>(["sha256", "sha512"])("a blob by %s", (algorithm) => {
  it("comes back as it was pushed, with all that clients need to know of it", async () => {
    const repository = freshRepository();
    const bytes = randomBytes(100_000);
    const { digest } = await pushBlob(repository, bytes, { algorithm });
    await expectBlob(repository, digest, bytes);
    for (const method of ["GET", "HEAD"]) {
      const response = await expectStatus(await send(method, `/v2/${repository}/blobs/${digest}`), 200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "accept-ranges": "bytes",
        "cache-control": expect.stringMatching(/^(?=.*immutable)(?=.*no-transform)(?=.*max-age=31536000)/) as string,
        "content-length": "100000",
        "content-type": "application/octet-stream",
        "docker-content-digest": digest,
        etag: `"${digest}"`,
      });
      await response.body?.cancel();
    }
  });
});

it("gives HEAD no body", async () => {
  const repository = freshRepository();
  const { digest } = await pushBlob(repository, TEN);
  expect(await (await send("HEAD", `/v2/${repository}/blobs/${digest}`)).text()).toBe("");
});

it("finds a digest whose colon is escaped, and ignores the query of a mirror's client", async () => {
  const repository = freshRepository();
  const { digest } = await pushBlob(repository, TEN);
  const path = `/v2/${repository}/blobs/${digest.replace(":", "%3A")}?ns=docker.io`;
  expect(await (await send("GET", path)).text()).toBe(TEN);
});

it("keeps a blob of no bytes", async () => {
  const repository = freshRepository();
  const { digest } = await pushBlob(repository, "");
  await expectBlob(repository, digest, new Uint8Array(0));
  const head = await send("HEAD", `/v2/${repository}/blobs/${digest}`);
  expect([head.status, head.headers.get("Content-Length")]).toEqual([200, "0"]);
});

it("tells an unknown blob from an unknown repository", async () => {
  const repository = freshRepository();
  await pushBlob(repository, TEN);
  const { digest } = await absent();
  const { detail } = await expectError(await send("GET", `/v2/${repository}/blobs/${digest}`), 404, "BLOB_UNKNOWN");
  expect(detail).toEqual({ digest });
  expect((await send("HEAD", `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
});

it("shows a blob only in the repository that holds it", async () => {
  const [here, there] = [freshRepository(), freshRepository()];
  const { digest } = await pushBlob(here, "only here");
  await pushBlob(there, "something else");
  await expectError(await send("GET", `/v2/${there}/blobs/${digest}`), 404, "BLOB_UNKNOWN");
  await pushBlob(there, "only here");
  expect((await send("GET", `/v2/${there}/blobs/${digest}`)).status).toBe(200);
});

describe("Range", () => {
  const repository = freshRepository();
  const get = async (range: string, headers = {}) => {
    const { digest } = await pushBlob(repository, TEN);
    return await send("GET", `/v2/${repository}/blobs/${digest}`, { headers: { Range: range, ...headers } });
  };

  it.each([
    ["bytes=0-1", "01", "bytes 0-1/10"],
    ["bytes=3-5", "345", "bytes 3-5/10"],
    ["bytes=9-9", "9", "bytes 9-9/10"],
    ["bytes=4-", "456789", "bytes 4-9/10"],
    ["bytes=0-", TEN, "bytes 0-9/10"],
    ["bytes=8-99", "89", "bytes 8-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=-99", TEN, "bytes 0-9/10"],
  ])("%s gives %s", async (range, text, contentRange) => {
    const response = await expectStatus(await get(range), 206);
    expect(response.headers.get("Content-Range")).toBe(contentRange);
    expect(response.headers.get("Content-Length")).toBe(String(text.length));
    expect(response.headers.get("Docker-Content-Digest")).toBe(await digestOf(TEN));
    expect(await response.text()).toBe(text);
  });

  it.each(["bytes=10-", "bytes=10-20", "bytes=-0"])("%s lies beyond the end", async (range) => {
    const response = await get(range);
    expect(response.headers.get("Content-Range")).toBe("bytes */10");
    await expectError(response, 416, "RANGE_INVALID");
  });

  it.each(["bytes=0-1,4-5", "bytes=0-1, -2", "bytes=x-y", "bytes", "pages=1-2", "bytes=-"])(
    "%s is answered by the whole",
    async (range) => {
      const response = await expectStatus(await get(range), 200);
      expect(response.headers.get("Content-Range")).toBeNull();
      expect(await response.text()).toBe(TEN);
    },
  );

  it("is ignored where If-Range names other content", async () => {
    expect((await get("bytes=0-1", { "If-Range": '"sha256:other"' })).status).toBe(200);
    expect((await get("bytes=0-1", { "If-Range": `"${await digestOf(TEN)}"` })).status).toBe(206);
  });

  it("of a blob of no bytes cannot be satisfied", async () => {
    const { digest } = await pushBlob(repository, "");
    const response = await send("GET", `/v2/${repository}/blobs/${digest}`, { headers: { Range: "bytes=0-" } });
    expect(response.headers.get("Content-Range")).toBe("bytes */0");
    await expectError(response, 416, "RANGE_INVALID");
  });

  it("reaches into a blob of several parts", async () => {
    const bytes = randomBytes(300_000);
    const { digest } = await pushBlob(repository, bytes);
    const headers = { Range: "bytes=250001-" };
    const response = await send("GET", `/v2/${repository}/blobs/${digest}`, { headers });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes.slice(250_001));
  });
});

describe("If-None-Match", () => {
  it.each([
    ["the ETag", (tag: string) => tag],
    ["a weak ETag", (tag: string) => `W/${tag}`],
    ["one of several", (tag: string) => `"x", ${tag}`],
    ["anything", () => "*"],
  ])("of %s is answered by 304", async (_name, header) => {
    const repository = freshRepository();
    const { digest } = await pushBlob(repository, TEN);
    const headers = { "If-None-Match": header(`"${digest}"`), Range: "bytes=0-1" };
    const response = await expectStatus(await send("GET", `/v2/${repository}/blobs/${digest}`, { headers }), 304);
    expect(response.headers.get("ETag")).toBe(`"${digest}"`);
    expect(await response.text()).toBe("");
  });

  it("is answered by 304 for HEAD too, as RFC 9110 demands", async () => {
    const repository = freshRepository();
    const { digest } = await pushBlob(repository, TEN);
    const headers = { "If-None-Match": `"${digest}"` };
    expect((await send("HEAD", `/v2/${repository}/blobs/${digest}`, { headers })).status).toBe(304);
  });

  it("of other content is answered by the blob", async () => {
    const repository = freshRepository();
    const { digest } = await pushBlob(repository, TEN);
    const headers = { "If-None-Match": '"sha256:other"' };
    expect((await send("GET", `/v2/${repository}/blobs/${digest}`, { headers })).status).toBe(200);
  });
});

describe("DELETE", () => {
  it("takes the blob out of this repository alone", async () => {
    const [here, there] = [freshRepository(), freshRepository()];
    const { digest } = await pushBlob(here, "in both");
    await pushBlob(there, "in both");
    expect((await send("DELETE", `/v2/${here}/blobs/${digest}`)).status).toBe(202);
    await expectError(await send("GET", `/v2/${here}/blobs/${digest}`), 404, "BLOB_UNKNOWN");
    await expectError(await send("DELETE", `/v2/${here}/blobs/${digest}`), 404, "BLOB_UNKNOWN");
    expect(await (await send("GET", `/v2/${there}/blobs/${digest}`)).text()).toBe("in both");
  });

  it("refuses while a manifest refers to the blob, and names it", async () => {
    const repository = freshRepository();
    const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
    const layer = await pushBlob(repository, "held");
    const manifest = await pushManifest(repository, image(config, [layer]), { tag: "v1" });
    for (const { digest } of [config, layer]) {
      const path = `/v2/${repository}/blobs/${digest}`;
      const { detail } = await expectError(await send("DELETE", path), 405, "UNSUPPORTED");
      expect(detail).toEqual({ manifest: manifest.digest });
      expect((await send("HEAD", path)).status).toBe(200);
    }
    expect((await send("DELETE", `/v2/${repository}/manifests/${manifest.digest}`)).status).toBe(202);
    expect((await send("DELETE", `/v2/${repository}/blobs/${layer.digest}`)).status).toBe(202);
  });

  it("lets the same bytes be pushed again", async () => {
    const repository = freshRepository();
    const { digest } = await pushBlob(repository, "again");
    await send("DELETE", `/v2/${repository}/blobs/${digest}`);
    await pushBlob(repository, "again");
    expect(await (await send("GET", `/v2/${repository}/blobs/${digest}`)).text()).toBe("again");
  });
});
