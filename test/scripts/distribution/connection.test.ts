import { describe, expect, test } from "vitest";
import { findManifest, getManifest } from "../../../scripts/distribution/manifests.ts";
import { listReferrers, noteReferrer } from "../../../scripts/distribution/referrers.ts";
import { listTags } from "../../../scripts/distribution/tags.ts";
import { uploadBlob } from "../../../scripts/distribution/uploads.ts";
import { BodyLimit } from "../../../scripts/distribution/body-limit.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { referrersTag } from "../../../src/oci/reference.ts";
import { ALICE, connect, failing } from "./support/connection.ts";
import { digestOf, type Habits, MemoryRegistry, startMemoryRegistry } from "./support/memory-registry.ts";

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const EMPTY = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(Buffer.from("{}")), size: 2 };
const manifestOf = (content: object) =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: IMAGE, config: EMPTY, layers: [], ...content }));

/** A registry with an image under the tag `1`. */
async function startWithImage(habits: Habits = {}): Promise<MemoryRegistry> {
  const registry = await startMemoryRegistry(habits);
  put(registry, manifestOf({}), "1");
  return registry;
}

function put(registry: MemoryRegistry, bytes: Buffer, tag?: string): Digest {
  const { manifests, tags } = registry.repository("team/web");
  const digest = digestOf(bytes);
  manifests.set(digest, { type: IMAGE, bytes });
  if (tag !== undefined) tags.set(tag, digest);
  return digest as Digest;
}

const SMALL = { digest: digestOf(Buffer.from("hello")) as Digest, size: 5 };
async function* hello() {
  await Promise.resolve();
  yield Buffer.from("hello");
}

describe("what a registry asks for is given", () => {
  test.each<[string, Habits, boolean]>([
    ["nothing", {}, false],
    ["a password", { auth: "basic" }, true],
    ["a token", { auth: "bearer" }, true],
    ["a token for anybody", { auth: "bearer" }, false],
  ])("%s", async (_, habits, hasCredentials) => {
    const registry = await startWithImage(habits);
    const repository = connect(registry, hasCredentials ? { credentials: ALICE } : {});
    expect(await findManifest(repository, "1")).toMatch(/^sha256:/);
    await getManifest(repository, "1");
    expect(registry.lines(/^GET \/v2\/$/)).toHaveLength(1);
    const tokens = registry.requests.filter(({ line }) => line.startsWith("GET /token"));
    expect(tokens.map(({ line }) => line)).toEqual(
      habits.auth === "bearer" ? ["GET /token?service=memory&scope=repository%3Ateam%2Fweb%3Apull"] : [],
    );
    expect(tokens.every(({ headers }) => (headers.authorization !== undefined) === hasCredentials)).toBe(true);
  });

  test("a token for each kind of use, once, and another one when it ends", async () => {
    const registry = await startWithImage({ auth: "bearer" });
    const repository = connect(registry, { credentials: ALICE });
    await Promise.all([findManifest(repository, "1"), findManifest(repository, "1")]);
    await uploadBlob(repository, { blob: SMALL, open: hello }, new BodyLimit());
    expect(registry.lines(/^GET \/token/)).toHaveLength(2);

    const brief = await startWithImage({ auth: "bearer", tokenTtl: 0.05 });
    const other = connect(brief, { credentials: ALICE });
    await findManifest(other, "1");
    await new Promise((resolve) => setTimeout(resolve, 60));
    await findManifest(other, "1");
    expect(brief.lines(/^GET \/token/)).toHaveLength(2);
    expect(brief.lines(/^HEAD/)).toHaveLength(2);
  });

  test("a token that ends before its time is renewed", async () => {
    const registry = await startWithImage({ auth: "bearer" });
    const repository = connect(registry, { credentials: ALICE });
    await findManifest(repository, "1");
    const challenge = { "WWW-Authenticate": `Bearer realm="${registry.url.href}token",service="memory"` };
    registry.fault = failing(/^HEAD/, { status: 401, headers: challenge });
    expect(await findManifest(repository, "1")).toMatch(/^sha256:/);
    registry.fault = failing(/^PUT/, { status: 401, headers: challenge });
    await uploadBlob(repository, { blob: SMALL, open: hello }, new BodyLimit());
    expect(registry.repository("team/web").blobs.has(SMALL.digest)).toBe(true);
  });

  test("mounts ask for both repositories", async () => {
    const registry = await startWithImage({ auth: "bearer" });
    registry.repository("base").blobs.set(SMALL.digest, Buffer.from("hello"));
    const repository = connect(registry, { credentials: ALICE });
    const outgoing = { blob: SMALL, open: hello, mountFrom: "base" as never };
    expect(await uploadBlob(repository, outgoing, new BodyLimit())).toBe("mounted");
  });

  test.each([
    ["basic", "who it knows by the test may not do that"],
    ["bearer", "refuses the credentials of the test"],
  ] as const)("wrong credentials are named: %s", async (auth, message) => {
    const registry = await startWithImage({ auth });
    const repository = connect(registry, { credentials: { ...ALICE, password: "wrong" } as typeof ALICE });
    await expect(findManifest(repository, "1")).rejects.toThrow(message);
  });

  test("who has none is told to log in", async () => {
    const repository = connect(await startWithImage({ auth: "basic" }));
    await expect(getManifest(repository, "1")).rejects.toThrow(/run docker login 127\.0\.0\.1:\d+$/);
  });

  test("passwords do not go to whatever realm", async () => {
    const registry = await startWithImage();
    registry.fault = () => ({ status: 401, headers: { "WWW-Authenticate": 'Bearer realm="ftp://example.org/token"' } });
    await expect(findManifest(connect(registry, { credentials: ALICE }), "1")).rejects.toThrow("which is not safe");
  });
});

describe("what passes is tried again", () => {
  test.each([
    ["a broken connection", "break"],
    ["an answer that breaks off", { breakAnswerAt: 10 }],
    ["429", { status: 429, headers: { "Retry-After": "0" } }],
    ["500", { status: 500 }],
    ["503", { status: 503 }],
  ] as const)("%s", async (_, fault) => {
    const registry = await startWithImage();
    const repository = connect(registry);
    await findManifest(repository, "1");
    registry.fault = failing<typeof fault>(/^GET/, fault, fault);
    expect((await getManifest(repository, "1")).mediaType).toBe(IMAGE);
    expect(registry.lines(/^GET \/v2\/team/)).toHaveLength(3);
  });

  test.each([
    ["a registry that is out of order", { status: 500 }, 4, "500 Internal Server Error; try again later"],
    ["one that asks for hours", { status: 429, headers: { "Retry-After": "7200" } }, 1, "try again in 7200 seconds"],
    ["one that is silent", "stall", 1, "does not answer"],
    ["one that refuses", { status: 403, body: "" }, 1, "403 Forbidden; run docker login"],
  ] as const)("but not for ever: %s", async (_, fault, tries, message) => {
    const registry = await startWithImage();
    // The client's own timers tick once a second.
    const patience = { tries: fault === "stall" ? 1 : 4, firstMs: 1, mostMs: 1 };
    const repository = connect(registry, { timeoutMs: 100, patience });
    await findManifest(repository, "1");
    registry.fault = () => fault;
    await expect(getManifest(repository, "1")).rejects.toThrow(message);
    expect(registry.lines(/^GET \/v2\/team/)).toHaveLength(tries);
  });

  test("nobody to answer at all is no reason for patience", async () => {
    const repository = connect(Object.assign(new MemoryRegistry({}), { host: "127.0.0.1:1" }));
    await expect(findManifest(repository, "1")).rejects.toThrow("nothing answers on http://127.0.0.1:1");
  });
});

describe("manifests", () => {
  test("are as their digest says", async () => {
    const registry = await startWithImage();
    const repository = connect(registry);
    const digest = put(registry, manifestOf({ annotations: { a: "b" } }));
    expect((await getManifest(repository, digest)).digest).toBe(digest);
    registry.repository("team/web").manifests.set(digest, { type: IMAGE, bytes: manifestOf({ layers: null }) });
    await expect(getManifest(repository, digest)).rejects.toThrow("is damaged: its digest is");
  });

  test("of schema 1 are refused, and it is said what to do", async () => {
    const registry = await startWithImage();
    put(registry, Buffer.from('{"schemaVersion": 1, "name": "old", "fsLayers": []}'), "old");
    await expect(getManifest(connect(registry), "old")).rejects.toThrow(
      /old is of Docker's schema 1, .*docker pull it and docker push it anew/,
    );
  });

  test("are found without the header that states their digest", async () => {
    const registry = await startWithImage();
    const repository = connect(registry);
    registry.fault = failing(/^HEAD/, { status: 200 });
    expect(await findManifest(repository, "1")).toBe(digestOf(manifestOf({})));
    expect(await findManifest(repository, "2")).toBeUndefined();
  });
});

describe("lists", () => {
  const collect = async (registry: MemoryRegistry) => {
    const tags: string[] = [];
    for await (const tag of listTags(connect(registry))) tags.push(tag);
    return tags;
  };

  test("of tags come in pages", async () => {
    const registry = await startWithImage({ pageSize: 2 });
    for (const tag of ["2", "3", "4", "5"]) put(registry, manifestOf({}), tag);
    expect(await collect(registry)).toEqual(["1", "2", "3", "4", "5"]);
    expect(registry.lines(/tags/)).toHaveLength(3);
  });

  test("whose pages go in circles, or elsewhere, end", async () => {
    const registry = await startWithImage();
    const page = (link: string) => ({ status: 200, headers: { Link: link }, body: '{"tags": null}' });
    registry.fault = ({ line }) => (line.includes("tags") ? page("<?n=1000>; rel=next") : undefined);
    await expect(collect(registry)).rejects.toThrow("go in circles");
    registry.fault = failing(/tags/, page('<https://elsewhere.example.org/v2/team/web/tags/list?last=0>; rel="next"'));
    expect(await collect(registry)).toEqual(["1"]);
  });

  test.each([true, false])("of referrers come from the API, or else from a tag (%s)", async (hasReferrers) => {
    const registry = await startWithImage({ hasReferrers });
    const repository = connect(registry);
    const image = digestOf(manifestOf({})) as Digest;
    const subject = { mediaType: IMAGE, digest: image, size: manifestOf({}).length };
    for (const name of ["one", "two"]) {
      const digest = put(registry, manifestOf({ subject, artifactType: "application/x", annotations: { name } }));
      if (!hasReferrers) await noteReferrer(repository, image, await getManifest(repository, digest));
    }
    const found = await listReferrers(repository, image);
    expect(found).toHaveLength(2);
    const tag = registry.repository("team/web").tags.get(referrersTag(image));
    expect(tag === undefined).toBe(hasReferrers);
    if (!hasReferrers) {
      expect(found[1]).toMatchObject({ artifactType: "application/x", annotations: { name: "two" } });
    }
  });
});
