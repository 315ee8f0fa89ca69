import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import type { Reference } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import * as blobs from "../../src/registry/blobs.ts";
import * as manifests from "../../src/registry/manifests.ts";
import * as repositories from "../../src/registry/repositories.ts";
import { collectAll } from "../support/aging.ts";
import { makeSubject, pathsOf, type Subject, WARM } from "../support/caches.ts";
import { toBytes } from "../support/content.ts";
import { contextAt } from "../support/context.ts";
import { CountedRegistry, type Measured } from "../support/counted-registry.ts";
import { addAccount, askToken, bearerOf, type Person, setVisibility } from "../support/people.ts";
import { basicAuth, ORIGIN, sendAnonymously } from "../support/registry.ts";
import { endRules, setPreviewedRule } from "../support/retention.ts";

const registry = new CountedRegistry(WARM);

const NOBODY = { Authorization: basicAuth("", "") };
type Headers = Readonly<Record<string, string>>;

async function pull(path: string, headers: Headers, method = "GET"): Promise<Measured> {
  return await registry.send(method, path, { headers });
}

/** Pulls all there is, twice: the second time, all of it comes from the caches. */
async function warm(subject: Subject, headers: Headers = subject.puller): Promise<void> {
  for (const path of Object.values(pathsOf(subject))) {
    await pull(path, headers);
    const again = await pull(path, headers);
    expect([path, again.status, again.usage.classB]).toEqual([path, 200, 0]);
  }
}

describe("private content", () => {
  let other: Person;
  beforeAll(async () => {
    other = await addAccount({ "test/elsewhere": ["pull", "push"] });
  });

  /** All who have no right, as they ask: with the credentials themselves, and with the token that they get. */
  async function outsiders(repository: string): Promise<Readonly<Record<string, Headers>>> {
    const scope = `repository:${repository}:pull`;
    return {
      nobody: NOBODY,
      "nobody, with a token": await bearerOf(undefined, scope),
      "another account": other.basic,
      "another account, with a token": await bearerOf(other, scope),
      "another account, with a token for another repository": await bearerOf(other, "repository:test/elsewhere:pull"),
    };
  }

  /** Each path by each method, whole, in part, and by what the client says that it has. */
  async function expectRefused(subject: Subject): Promise<void> {
    for (const [who, authorization] of Object.entries(await outsiders(subject.repository))) {
      for (const path of Object.values(pathsOf(subject))) {
        for (const more of [{}, { Range: "bytes=0-10" }, { "If-None-Match": "*" }]) {
          for (const method of ["GET", "HEAD"]) {
            const { status, headers, bytes } = await pull(path, { ...authorization, ...more }, method);
            expect([who, path, [401, 403].includes(status)]).toEqual([who, path, true]);
            expect([headers.get("ETag"), headers.get("Docker-Content-Digest")]).toEqual([null, null]);
            expect(bytes.byteLength).toBeLessThan(1_000);
          }
        }
      }
    }
    expect((await sendAnonymously("GET", pathsOf(subject)["a blob"])).status).toBe(401);
  }

  it("is refused to all who have no right to it, whether or not any cache has it", async () => {
    const subject = await makeSubject();
    await expectRefused(subject);
    await warm(subject);
    await expectRefused(subject);
    await warm(subject);
  });

  it("is refused after it was public, and everybody has pulled it", async () => {
    const subject = await makeSubject();
    await setVisibility(subject.repository, "public");
    await warm(subject, NOBODY);
    await warm(subject, other.basic);
    await warm(subject);
    await setVisibility(subject.repository, "private");
    await expectRefused(subject);
    await warm(subject);
  });

  it("is not found in another repository, which the caller may pull", async () => {
    const subject = await makeSubject();
    await warm(subject);
    const elsewhere = await makeSubject();
    await warm(elsewhere);
    for (const path of [`blobs/${subject.blob}`, `manifests/${subject.image.digest}`]) {
      const answer = await pull(`/v2/${elsewhere.repository}/${path}`, elsewhere.puller);
      expect([path, answer.status]).toEqual([path, 404]);
    }
  });

  it("is not at the address that its bytes have in the cache", async () => {
    const subject = await makeSubject();
    await warm(subject);
    const sql = "SELECT object_key AS key FROM blobs WHERE digest = ?1";
    const row = await env.DB.prepare(sql).bind(subject.blob).first<{ key: string }>();
    for (const path of [`/.objects/${row!.key}`, `/.objects/${row!.key}/whole`, `/v2/${row!.key}`]) {
      for (const method of ["GET", "HEAD"]) {
        const asAdmin = await pull(path, {}, method);
        const asNobody = await sendAnonymously(method, path);
        expect([path, asAdmin.status, asNobody.status]).toEqual([path, 404, 404]);
        expect(await caches.default.match(`${ORIGIN}${path}`)).toBeUndefined();
      }
    }
  });

  it("is told to be nobody else's, wherever it comes from", async () => {
    const subject = await makeSubject();
    const fromStorage = await Promise.all(
      Object.values(pathsOf(subject)).map(async (path) => (await pull(path, subject.puller)).headers),
    );
    await warm(subject);
    for (const [index, path] of Object.values(pathsOf(subject)).entries()) {
      const { headers } = await pull(path, subject.puller);
      expect(Object.fromEntries(headers)).toEqual(Object.fromEntries(fromStorage[index]!));
      expect(headers.get("Cache-Control")).toMatch(/^private, /);
      expect(headers.get("Cache-Control")).not.toMatch(/public|s-maxage/);
    }
  });
});

describe("a part of a blob", () => {
  const RANGES = ["0-0", "5-10", "5-", "-10", "-999999", "99999-", "50000-999999", "100000-", "10-5", "0-1,5-6", "x"];

  it.each([...RANGES, undefined])("of bytes=%s is the same from the cache as from R2", async (range) => {
    const subject = await makeSubject();
    const path = pathsOf(subject)["a blob"];
    const headers = { ...subject.puller, ...(range !== undefined && { Range: `bytes=${range}` }) };
    const fromStorage = await pull(path, headers);
    await warm(subject);
    const fromCache = await pull(path, headers);
    expect([fromCache.usage.classB, fromCache.usage.roundTrips]).toEqual([0, 0]);
    expect(fromCache.status).toBe(fromStorage.status);
    expect(Object.fromEntries(fromCache.headers)).toEqual(Object.fromEntries(fromStorage.headers));
    expect(fromCache.bytes).toEqual(fromStorage.bytes);
  });
});

describe("deleted content", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const actor = { name: "account:test", credential: "test" };
  const named = ({ repository, image, blob }: Subject) => ({
    repository: repository as RepositoryName,
    tag: { kind: "tag", tag: "latest" } as Reference,
    digest: { kind: "digest", digest: image.digest } as Reference,
    blob: blob as Digest,
  });

  type Path = keyof ReturnType<typeof pathsOf>;
  /** What another isolate does; this one does it by its API. */
  type Elsewhere = (subject: Subject) => Promise<void>;

  /** The blob's manifests go first. */
  const deleteBlob: Elsewhere = async (subject) => {
    const { repository, digest, blob } = named(subject);
    await manifests.deleteManifest(contextAt(0), { repository, reference: digest, actor });
    const big = { kind: "digest", digest: subject.bigImage.digest } as Reference;
    await manifests.deleteManifest(contextAt(0), { repository, reference: big, actor });
    await blobs.deleteBlob(contextAt(0), { repository, digest: blob, actor });
  };

  const CASES: readonly (readonly [string, readonly (readonly [string, string])[], Elsewhere, readonly Path[]])[] = [
    [
      "a tag",
      [["DELETE", "manifests/latest"]],
      async (subject) => {
        const { repository, tag } = named(subject);
        await manifests.deleteManifest(contextAt(0), { repository, reference: tag, actor });
      },
      ["a manifest by tag"],
    ],
    [
      "a manifest",
      [["DELETE", "manifests/$IMAGE"]],
      async (subject) => {
        const { repository, digest } = named(subject);
        await manifests.deleteManifest(contextAt(0), { repository, reference: digest, actor });
      },
      ["a manifest by tag", "a manifest by digest"],
    ],
    [
      "a blob",
      [
        ["DELETE", "manifests/$IMAGE"],
        ["DELETE", "manifests/$BIG"],
        ["DELETE", "blobs/$BLOB"],
      ],
      deleteBlob,
      ["a manifest by tag", "a manifest by digest", "a manifest too big for a row", "a blob"],
    ],
    [
      "a repository",
      [["DELETE", ""]],
      async (subject) => await repositories.deleteRepository(contextAt(0), named(subject).repository, actor),
      ["a manifest by tag", "a manifest by digest", "a manifest too big for a row", "a blob"],
    ],
  ];

  const statusesOf = async (subject: Subject, paths: readonly Path[]) =>
    await Promise.all(paths.map(async (path) => (await pull(pathsOf(subject)[path], subject.puller)).status));

  const all = (paths: readonly Path[], status: number) => paths.map(() => status);

  it.each(CASES)("(%s) is gone at once for the isolate that deletes it", async (what, requests, _elsewhere, paths) => {
    const subject = await makeSubject();
    await warm(subject);
    const { repository, image, bigImage, blob } = subject;
    for (const [method, path] of requests) {
      const own = path.replace("$IMAGE", image.digest).replace("$BIG", bigImage.digest).replace("$BLOB", blob);
      const url = what === "a repository" ? `/api/repositories/${repository}` : `/v2/${repository}/${own}`;
      expect([202, 204]).toContain((await registry.send(method, url)).status);
    }
    expect(await statusesOf(subject, paths)).toEqual(all(paths, 404));
  });

  it.each(CASES)("(%s) is gone within the stated time for others", async (_what, _requests, elsewhere, paths) => {
    const subject = await makeSubject();
    await warm(subject);
    const start = Date.now();
    await elsewhere(subject);
    const clock = vi.spyOn(Date, "now");
    clock.mockReturnValue(start + 30_000);
    expect(await statusesOf(subject, paths)).toEqual(all(paths, 200));
    clock.mockReturnValue(start + 60_000);
    expect(await statusesOf(subject, paths)).toEqual(all(paths, 404));
  });

  it("is gone at once for the isolate that collects it", async () => {
    const subject = await makeSubject();
    await warm(subject);
    const { repository, image } = subject;
    // Untagged by another isolate: the manifest stays until it is collected.
    for (const tag of ["latest", "big"]) {
      const reference = { kind: "tag", tag } as Reference;
      await manifests.deleteManifest(contextAt(0), { repository: repository as RepositoryName, reference, actor });
    }
    expect(await statusesOf(subject, ["a manifest by digest"])).toEqual([200]);
    await collectAll(repository);
    const paths = ["a manifest by digest", "a manifest by tag", "a blob"] as const;
    expect(await statusesOf(subject, paths)).toEqual(all(paths, 404));
    expect(image.digest).toMatch(/^sha256:/);
  });

  it("is gone at once for whoever may push or delete", async () => {
    const subject = await makeSubject();
    await warm(subject);
    const { repository, digest } = named(subject);
    await manifests.deleteManifest(contextAt(0), { repository, reference: digest, actor });
    const path = pathsOf(subject)["a manifest by digest"];
    for (const action of ["push", "delete"]) {
      const someone = await addAccount({ [repository]: ["pull", action] });
      const { token } = await askToken(someone, `repository:${repository}:pull,${action}`);
      for (const method of ["GET", "HEAD"]) {
        const answer = await pull(path, { Authorization: `Bearer ${token}` }, method);
        expect([action, method, answer.status]).toEqual([action, method, 404]);
      }
    }
    expect((await pull(path, subject.puller)).status).toBe(200);
  });

  it("is not what HEAD tells of a blob", async () => {
    const subject = await makeSubject();
    await warm(subject);
    await deleteBlob(subject);
    const path = pathsOf(subject)["a blob"];
    expect([(await pull(path, subject.puller)).status, (await pull(path, subject.puller, "HEAD")).status]).toEqual([
      200, 404,
    ]);
  });
});

describe("a tag", () => {
  it("that this isolate moves names the new manifest at once", async () => {
    const subject = await makeSubject();
    await warm(subject);
    const other = await makeSubject(subject.repository);
    // What it named before may still be pulled by its digest.
    await pull(pathsOf(subject)["a manifest by digest"], subject.puller);
    const moved = await pull(pathsOf(subject)["a manifest by tag"], subject.puller);
    expect(moved.headers.get("Docker-Content-Digest")).toBe(other.image.digest);
  });

  it("that a rule of this isolate removes is gone at once", async () => {
    const subject = await makeSubject();
    const name = await setPreviewedRule({ repository: subject.repository, keep: { tags: ["big"] } });
    await warm(subject);
    const ran = await registry.send("POST", "/api/retention/run", {
      body: { bytes: toBytes(JSON.stringify({ name })) },
    });
    await endRules();
    expect(ran.status).toBe(200);
    expect((await pull(pathsOf(subject)["a manifest by tag"], subject.puller)).status).toBe(404);
  });
});
