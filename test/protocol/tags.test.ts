import { describe, expect, it } from "vitest";
import { digestOf, image, OCI_CONFIG, pushBlob, pushImage, putManifest, serialise } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, nextLink, send } from "../support/registry.ts";
import { rows } from "../support/uploads.ts";

interface TagList {
  readonly name: string;
  readonly tags: string[];
}

async function list(repository: string, query = ""): Promise<TagList> {
  const response = await expectStatus(await send("GET", `/v2/${repository}/tags/list${query}`), 200);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  return await response.json<TagList>();
}

/** A repository with these tags on one manifest. */
async function withTags(tags: readonly string[]): Promise<string> {
  const repository = freshRepository();
  const { bytes, digest } = await newManifest(repository);
  for (let start = 0; start < tags.length; start += 50) {
    const query = new URLSearchParams(tags.slice(start, start + 50).map((tag) => ["tag", tag]));
    await expectStatus(await putManifest(repository, `${digest}?${query.toString()}`, bytes), 201);
  }
  return repository;
}

async function newManifest(repository: string): Promise<{ bytes: Uint8Array; digest: string }> {
  const config = await pushBlob(repository, crypto.randomUUID(), { mediaType: OCI_CONFIG });
  const bytes = serialise(image(config));
  return { bytes, digest: await digestOf(bytes) };
}

describe("the list of tags", () => {
  it("is that of its repository", async () => {
    const repository = await withTags(["v2", "latest", "v1"]);
    await withTags(["other"]);
    expect(await list(repository)).toEqual({ name: repository, tags: ["latest", "v1", "v2"] });
  });

  it("of a repository without tags is empty", async () => {
    const repository = freshRepository();
    await pushBlob(repository, "x");
    expect(await list(repository)).toEqual({ name: repository, tags: [] });
  });

  it("is ordered without regard to case", async () => {
    const repository = await withTags(["b", "A", "a", "B", "_x", "1", "10", "2", "C.c"]);
    expect((await list(repository)).tags).toEqual(["1", "10", "2", "_x", "A", "a", "B", "b", "C.c"]);
  });

  it.each([
    ["?n=2", ["a", "b"]],
    ["?n=4", ["a", "b", "c", "d"]],
    ["?n=99", ["a", "b", "c", "d"]],
    ["?n=0", []],
    ["?n=", ["a", "b", "c", "d"]],
    ["?last=b", ["c", "d"]],
    ["?last=bb", ["c", "d"]],
    ["?last=d", []],
    ["?n=1&last=a", ["b"]],
    ["?n=1&last=zzz", []],
  ])("%s is %j", async (query, tags) => {
    const repository = await withTags(["a", "b", "c", "d"]);
    expect((await list(repository, query)).tags).toEqual(tags);
  });

  it.each(["?n=0", "?n=4", "?n=9", "?n=2&last=b", ""])("%s has no next page", async (query) => {
    const repository = await withTags(["a", "b", "c", "d"]);
    expect((await send("GET", `/v2/${repository}/tags/list${query}`)).headers.get("Link")).toBeNull();
  });

  it.each(["-1", "x", "1.5", "1e9"])("refuses n=%s", async (n) => {
    const repository = await withTags(["a"]);
    await expectError(await send("GET", `/v2/${repository}/tags/list?n=${n}`), 400, "PAGINATION_NUMBER_INVALID");
  });

  it.each([1, 2, 3, 7])("gives each tag once, in pages of %i", async (n) => {
    const tags = ["a", "A", "b", "B", "b-1", "B_2", "c"];
    const repository = await withTags(tags);
    const seen: string[] = [];
    let next: string | undefined = `/v2/${repository}/tags/list?n=${n}`;
    for (; next !== undefined;) {
      const response: Response = await expectStatus(await send("GET", next), 200);
      const page = (await response.json<TagList>()).tags;
      expect(page.length).toBeGreaterThan(0);
      seen.push(...page);
      next = nextLink(response);
    }
    expect(seen).toEqual((await list(repository)).tags);
    expect(seen.toSorted()).toEqual(tags.toSorted());
  });

  it("ends a page where nobody asked for one", async () => {
    const repository = await withTags(Array.from({ length: 1_001 }, (_, number) => `t${number}`));
    const response = await send("GET", `/v2/${repository}/tags/list`);
    expect((await response.json<TagList>()).tags).toHaveLength(1_000);
    const next = await send("GET", nextLink(response)!);
    expect((await next.json<TagList>()).tags).toHaveLength(1);
    expect((await list(repository, "?n=999999999")).tags).toHaveLength(1_000);
  });
});

describe("tags pushed with a manifest", () => {
  it("by ?tag= are all set, and named in the answer", async () => {
    const repository = freshRepository();
    const { bytes, digest } = await newManifest(repository);
    const tags = Array.from({ length: 12 }, (_, number) => `v${number + 10}`);
    const query = tags.map((tag) => `tag=${tag}`).join("&");
    const response = await expectStatus(await putManifest(repository, `${digest}?${query}`, bytes), 201);
    expect(response.headers.get("OCI-Tag")?.split(", ")).toEqual(tags);
    expect((await list(repository)).tags).toEqual(tags);
    for (const tag of tags) {
      const pulled = await send("HEAD", `/v2/${repository}/manifests/${tag}`);
      expect(pulled.headers.get("Docker-Content-Digest")).toBe(digest);
    }
  });

  it("work by sha512 too", async () => {
    const repository = freshRepository();
    const { bytes } = await newManifest(repository);
    const digest = await digestOf(bytes, "sha512");
    await expectStatus(await putManifest(repository, `${digest}?tag=a&tag=b`, bytes), 201);
    const pulled = await send("GET", `/v2/${repository}/manifests/b`);
    expect(pulled.headers.get("Docker-Content-Digest")).toBe(digest);
  });

  it("are not named where none were asked for", async () => {
    const repository = freshRepository();
    const { bytes, digest } = await newManifest(repository);
    expect((await putManifest(repository, digest, bytes)).headers.get("OCI-Tag")).toBeNull();
  });

  it.each([".bad", "", "a b", "x".repeat(129)])("are refused together when one is %j", async (tag) => {
    const repository = freshRepository();
    const { bytes, digest } = await newManifest(repository);
    const path = `${digest}?tag=good&tag=${encodeURIComponent(tag)}`;
    await expectError(await putManifest(repository, path, bytes), 400, "TAG_INVALID");
    expect((await list(repository)).tags).toEqual([]);
    expect((await send("HEAD", `/v2/${repository}/manifests/${digest}`)).status).toBe(404);
  });

  it("beyond a hundred are refused", async () => {
    const repository = freshRepository();
    const { bytes, digest } = await newManifest(repository);
    const query = Array.from({ length: 101 }, (_, number) => `tag=t${number}`).join("&");
    await expectError(await putManifest(repository, `${digest}?${query}`, bytes), 400, "TAG_INVALID");
  });

  it("are kept apart by case", async () => {
    const repository = freshRepository();
    const [upper, lower] = [await pushImage(repository, { tag: "V1" }), await pushImage(repository, { tag: "v1" })];
    const digests = ["V1", "v1"].map(async (tag) =>
      (await send("HEAD", `/v2/${repository}/manifests/${tag}`)).headers.get("Docker-Content-Digest"),
    );
    expect(await Promise.all(digests)).toEqual([upper.digest, lower.digest]);
  });
});

interface TagEvent {
  readonly name: string;
  readonly digest: string | null;
  readonly previous_digest: string | null;
  readonly actor: string;
}

async function events(repository: string): Promise<TagEvent[]> {
  const sql = `SELECT e.name, e.digest, e.previous_digest, e.actor FROM tag_events e
               JOIN repositories r ON r.id = e.repository_id WHERE r.name = ?1 ORDER BY e.id`;
  return await rows<TagEvent>(sql, repository);
}

describe("the history of a tag", () => {
  const actor = "account:admin";

  it("records its birth, its moves and its end", async () => {
    const repository = freshRepository();
    const { digest: one } = await pushImage(repository, { tag: "v1" });
    const { digest: two } = await pushImage(repository, { tag: "v1" });
    await expectStatus(await send("DELETE", `/v2/${repository}/manifests/v1`), 202);
    expect(await events(repository)).toEqual([
      { name: "v1", digest: one, previous_digest: null, actor },
      { name: "v1", digest: two, previous_digest: one, actor },
      { name: "v1", digest: null, previous_digest: two, actor },
    ]);
  });

  it("records nothing where a tag stays", async () => {
    const repository = freshRepository();
    const { bytes } = await newManifest(repository);
    for (let push = 0; push < 3; push++) await expectStatus(await putManifest(repository, "v1", bytes), 201);
    expect(await events(repository)).toHaveLength(1);
  });

  it("records a tag once that is named twice", async () => {
    const repository = freshRepository();
    const { bytes } = await newManifest(repository);
    await expectStatus(await putManifest(repository, "v1?tag=v1&tag=v1", bytes), 201);
    expect(await events(repository)).toHaveLength(1);
    expect((await list(repository)).tags).toEqual(["v1"]);
  });

  it("records the end of all tags of a manifest that is deleted", async () => {
    const repository = freshRepository();
    const { bytes, digest } = await newManifest(repository);
    await putManifest(repository, `${digest}?tag=a&tag=b`, bytes);
    await expectStatus(await send("DELETE", `/v2/${repository}/manifests/${digest}`), 202);
    expect((await events(repository)).slice(2)).toEqual([
      { name: "a", digest: null, previous_digest: digest, actor },
      { name: "b", digest: null, previous_digest: digest, actor },
    ]);
  });

  it("records nothing of what was refused", async () => {
    const repository = freshRepository();
    await pushBlob(repository, "x");
    await putManifest(repository, "v1", "{}");
    await send("DELETE", `/v2/${repository}/manifests/v1`);
    expect(await events(repository)).toEqual([]);
  });
});
