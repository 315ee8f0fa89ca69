import { describe, expect, it } from "vitest";
import { absent, type Algorithm, digestOf, pushBlob, randomBytes } from "../support/images.ts";
import {
  basicAuth,
  expectError,
  expectStatus,
  freshRepository,
  runSchedule,
  send,
  sendAnonymously,
} from "../support/registry.ts";
import { bearer } from "../support/tokens.ts";
import { expectBlob, finish, rows, sessionId, keysBeside, storedKeys, streamOf } from "../support/uploads.ts";

const uploads = (repository: string, query = "") => `/v2/${repository}/blobs/uploads/${query}`;

it("opens a session at a path without host or escapes", async () => {
  const repository = freshRepository();
  for (const path of [uploads(repository), uploads(repository).slice(0, -1)]) {
    const response = await expectStatus(await send("POST", path), 202);
    const location = response.headers.get("Location")!;
    expect(location).toMatch(new RegExp(`^/v2/${repository}/blobs/uploads/[0-9a-f-]{36}$`));
    expect(response.headers.get("Docker-Upload-UUID")).toBe(sessionId(location));
    expect(response.headers.get("Range")).toBe("0-0");
    // It would state a demand, and chunks may be of any size.
    expect(response.headers.get("OCI-Chunk-Min-Length")).toBeNull();
    expect(await response.text()).toBe("");
  }
});

it("makes no repository visible before something is in it", async () => {
  const repository = freshRepository();
  await send("POST", uploads(repository));
  await expectError(await send("GET", `/v2/${repository}/tags/list`), 404, "NAME_UNKNOWN");
});

describe("a blob in one POST", () => {
  it.each<[Algorithm, number]>([
    ["sha256", 0],
    ["sha512", 0],
    ["sha256", 1],
    ["sha512", 70_000],
    ["sha256", 7_000_000],
  ])("by %s of %i bytes is kept", async (algorithm, size) => {
    const repository = freshRepository();
    const bytes = randomBytes(size);
    const digest = await digestOf(bytes, algorithm);
    const response = await send("POST", uploads(repository, `?digest=${digest}`), { body: bytes });
    await expectStatus(response, 201);
    expect(response.headers.get("Location")).toBe(`/v2/${repository}/blobs/${digest}`);
    expect(response.headers.get("Docker-Content-Digest")).toBe(digest);
    await expectBlob(repository, digest, bytes);
  });

  it("of another digest is refused, with nothing kept", async () => {
    const repository = freshRepository();
    const { digest } = await absent();
    await runSchedule();
    const before = await storedKeys();
    const response = await send("POST", uploads(repository, `?digest=${digest}`), { body: "other bytes" });
    await expectError(response, 400, "DIGEST_INVALID");
    await expectError(await send("GET", `/v2/${repository}/blobs/${digest}`), 404, "NAME_UNKNOWN");
    await runSchedule();
    expect(await keysBeside(before)).toEqual([]);
  });

  it("of unknown length falls back to a session", async () => {
    const repository = freshRepository();
    const digest = await digestOf("chunked");
    const body = streamOf(new TextEncoder().encode("chunked"));
    const response = await expectStatus(await send("POST", uploads(repository, `?digest=${digest}`), { body }), 202);
    const finished = await finish(response.headers.get("Location")!, digest, { body: "chunked" });
    await expectStatus(finished, 201);
  });

  it("of a malformed digest is refused", async () => {
    for (const digest of ["sha256:0", "md5:00000000000000000000000000000000", "", "latest"]) {
      const response = await send("POST", uploads(freshRepository(), `?digest=${digest}`), { body: "x" });
      await expectError(response, 400, "DIGEST_INVALID");
    }
  });

  it("twice is stored once", async () => {
    const repository = freshRepository();
    const { digest } = await pushBlob(repository, "stored once");
    await runSchedule();
    const before = await storedKeys();
    await pushBlob(repository, "stored once");
    await pushBlob(freshRepository(), "stored once");
    await runSchedule();
    expect(await keysBeside(before)).toEqual([]);
    expect(await rows("SELECT digest FROM blobs WHERE digest = ?1", digest)).toHaveLength(1);
  });
});

describe("digest-algorithm", () => {
  it.each<Algorithm>(["sha256", "sha512"])("%s opens a session", async (algorithm) => {
    const repository = freshRepository();
    const path = uploads(repository, `?digest-algorithm=${algorithm}`);
    const location = (await expectStatus(await send("POST", path), 202)).headers.get("Location")!;
    const bytes = randomBytes(1_000);
    await expectStatus(await send("PATCH", location, { body: streamOf(bytes) }), 202);
    const digest = await digestOf(bytes, algorithm);
    await expectStatus(await finish(location, digest), 201);
    await expectBlob(repository, digest, bytes);
  });

  it.each(["md5", "", "SHA256", "toString"])("%j is refused", async (algorithm) => {
    const path = uploads(freshRepository(), `?digest-algorithm=${algorithm}`);
    await expectError(await send("POST", path), 400, "DIGEST_INVALID");
  });
});

describe("a mount", () => {
  const mount = (digest: string, from?: string) => `?mount=${digest}${from === undefined ? "" : `&from=${from}`}`;

  it.each<Algorithm>(["sha256", "sha512"])("from a repository makes a blob by %s visible", async (algorithm) => {
    const [source, target] = [freshRepository(), freshRepository()];
    const { digest } = await pushBlob(source, "to be mounted", { algorithm });
    const response = await expectStatus(await send("POST", uploads(target, mount(digest, source))), 201);
    expect(response.headers.get("Location")).toBe(`/v2/${target}/blobs/${digest}`);
    expect(response.headers.get("Docker-Content-Digest")).toBe(digest);
    expect(await (await send("GET", `/v2/${target}/blobs/${digest}`)).text()).toBe("to be mounted");
  });

  it("without from finds the blob wherever it is", async () => {
    const [source, target] = [freshRepository(), freshRepository()];
    const { digest } = await pushBlob(source, crypto.randomUUID());
    await expectStatus(await send("POST", uploads(target, mount(digest))), 201);
    expect((await send("HEAD", `/v2/${target}/blobs/${digest}`)).status).toBe(200);
  });

  it("outlives the source", async () => {
    const [source, target] = [freshRepository(), freshRepository()];
    const { digest } = await pushBlob(source, "outlives");
    await send("POST", uploads(target, mount(digest, source)));
    await send("DELETE", `/v2/${source}/blobs/${digest}`);
    await runSchedule();
    expect(await (await send("GET", `/v2/${target}/blobs/${digest}`)).text()).toBe("outlives");
  });

  it("of what is not there opens a session instead, which can be cancelled", async () => {
    const [source, target] = [freshRepository(), freshRepository()];
    await pushBlob(source, "something");
    const elsewhere = await pushBlob(freshRepository(), "not in the source");
    const { digest } = await absent();
    const queries = [
      mount(digest, source),
      mount(digest),
      mount(digest, "nowhere/at-all"),
      mount(elsewhere.digest, source),
    ];
    for (const query of queries) {
      const response = await send("POST", uploads(target, query));
      expect([query, response.status]).toEqual([query, 202]);
      expect((await send("DELETE", response.headers.get("Location")!)).status).toBe(204);
    }
    await expectError(await send("GET", `/v2/${target}/tags/list`), 404, "NAME_UNKNOWN");
  });

  it("from what is no repository name opens a session instead", async () => {
    const { digest } = await pushBlob(freshRepository(), "somewhere");
    await expectStatus(await send("POST", uploads(freshRepository(), mount(digest, "Not%2FA%2FName"))), 202);
  });

  it("of a malformed digest is refused", async () => {
    const response = await send("POST", uploads(freshRepository(), mount("sha256:0", "a")));
    await expectError(response, 400, "DIGEST_INVALID");
  });

  it("is made for a token that may pull from the source", async () => {
    const [source, target] = [freshRepository(), freshRepository()];
    const { digest } = await pushBlob(source, "allowed by scope");
    const headers = await bearer(`repository:${target}:pull,push`, `repository:${source}:pull`);
    await expectStatus(await sendAnonymously("POST", uploads(target, mount(digest, source)), { headers }), 201);
  });

  it("asks what the account may pull, not what the token says", async () => {
    const [source, target] = [freshRepository(), freshRepository()];
    const { digest } = await pushBlob(source, "allowed to the account");
    const headers = await bearer(`repository:${target}:pull,push`);
    await expectStatus(await sendAnonymously("POST", uploads(target, mount(digest, source)), { headers }), 201);
    await expectStatus(await sendAnonymously("POST", uploads(target, mount(digest)), { headers }), 201);
  });

  it("is refused to who may not push", async () => {
    const [source, target] = [freshRepository(), freshRepository()];
    const { digest } = await pushBlob(source, "no push");
    const headers = await bearer(`repository:${target}:pull`, `repository:${source}:pull,push`);
    const response = await sendAnonymously("POST", uploads(target, mount(digest, source)), { headers });
    await expectError(response, 401, "UNAUTHORIZED");
    const wrong = { Authorization: basicAuth("admin", "wrong") };
    const refused = await sendAnonymously("POST", uploads(target, mount(digest, source)), { headers: wrong });
    await expectError(refused, 401, "UNAUTHORIZED");
  });
});
