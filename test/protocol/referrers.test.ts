import { describe, expect, it } from "vitest";
import {
  absent,
  type Descriptor,
  digestOf,
  image,
  index,
  OCI_ARTIFACT,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  pushBlob,
  pushImage,
  pushManifest,
} from "../support/images.ts";
import { expectError, expectStatus, freshRepository, nextLink, send } from "../support/registry.ts";

interface Referrers {
  readonly schemaVersion: number;
  readonly mediaType: string;
  readonly manifests: (Descriptor & { artifactType?: string; annotations?: Record<string, string> })[];
}

async function list(repository: string, digest: string, query = ""): Promise<Referrers> {
  const response = await expectStatus(await send("GET", `/v2/${repository}/referrers/${digest}${query}`), 200);
  expect(response.headers.get("Content-Type")).toBe(OCI_INDEX);
  return await response.json<Referrers>();
}

/** All pages from a path on, as the client that follows the links sees them. */
async function follow(path: string): Promise<Referrers["manifests"][]> {
  const pages: Referrers["manifests"][] = [];
  let next: string | undefined = path;
  for (; next !== undefined;) {
    const response: Response = await expectStatus(await send("GET", next), 200);
    const text = await response.text();
    expect(new TextEncoder().encode(text).byteLength).toBeLessThanOrEqual(4 * 1024 * 1024);
    pages.push((JSON.parse(text) as Referrers).manifests);
    next = nextLink(response);
  }
  return pages;
}

const EMPTY = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] };

it("lists each manifest that names the subject, as a descriptor", async () => {
  const repository = freshRepository();
  const subject = await pushImage(repository);
  const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
  const annotations = { "org.example": "né 🚀", empty: "" };
  const signature = await pushManifest(repository, image(config, [], { subject, annotations, artifactType: "a/sig" }));
  const plain = await pushManifest(repository, image(config, [], { subject }));
  const list1 = await pushManifest(repository, index([], { subject, artifactType: "a/list" }));
  const bare = await pushManifest(repository, index([], { subject }));
  const artifact = await pushManifest(repository, { mediaType: OCI_ARTIFACT, artifactType: "a/old", subject });
  await pushManifest(repository, image(config, [], { artifactType: "a/sig" }));
  expect(await list(repository, subject.digest)).toEqual({
    ...EMPTY,
    manifests: [
      { ...signature, artifactType: "a/sig", annotations },
      { ...plain, artifactType: OCI_CONFIG },
      { ...list1, artifactType: "a/list" },
      bare,
      { ...artifact, artifactType: "a/old" },
    ],
  });
});

it("answers a push with the subject", async () => {
  const repository = freshRepository();
  const subject = await pushImage(repository);
  const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
  for (const manifest of [image(config, [], { subject }), index([], { subject })]) {
    const { mediaType } = manifest as { mediaType: string };
    const response = await send("PUT", `/v2/${repository}/manifests/v1`, {
      body: JSON.stringify(manifest),
      headers: { "Content-Type": mediaType },
    });
    expect(response.headers.get("OCI-Subject")).toBe(subject.digest);
  }
  const response = await send("PUT", `/v2/${repository}/manifests/v2`, { body: JSON.stringify(image(config)) });
  expect(response.headers.get("OCI-Subject")).toBeNull();
});

it("lists referrers of a subject that came later, or never", async () => {
  const repository = freshRepository();
  const subject = await absent(OCI_MANIFEST);
  const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
  const { digest } = await pushManifest(repository, image(config, [], { subject }));
  expect((await list(repository, subject.digest)).manifests).toMatchObject([{ digest }]);
});

it("has an empty list for what has no referrers, and for an unknown repository", async () => {
  const repository = freshRepository();
  const { digest } = await pushImage(repository);
  expect(await list(repository, digest)).toEqual(EMPTY);
  expect(await list(repository, (await absent()).digest)).toEqual(EMPTY);
  expect(await list("nowhere", digest)).toEqual(EMPTY);
});

it("works by sha512 on both sides", async () => {
  const repository = freshRepository();
  const config = await pushBlob(repository, "{}", { mediaType: OCI_CONFIG });
  const subject = await pushManifest(repository, image(config), { algorithm: "sha512" });
  const referrer = await pushManifest(repository, image(config, [], { subject }), { algorithm: "sha512" });
  expect((await list(repository, subject.digest)).manifests).toMatchObject([{ digest: referrer.digest }]);
  expect(await list(repository, await digestOf(JSON.stringify(image(config))))).toEqual(EMPTY);
});

it("forgets a referrer that is deleted, and keeps to its repository", async () => {
  const [here, there] = [freshRepository(), freshRepository()];
  const subject = await absent(OCI_MANIFEST);
  const referrers = await Promise.all(
    [here, there].map(async (name) => await pushManifest(name, index([], { subject }))),
  );
  await expectStatus(await send("DELETE", `/v2/${here}/manifests/${referrers[0]!.digest}`), 202);
  expect((await list(here, subject.digest)).manifests).toEqual([]);
  expect((await list(there, subject.digest)).manifests).toHaveLength(1);
});

describe("the filter by artifactType", () => {
  it("is applied, and said to be", async () => {
    const repository = freshRepository();
    const subject = await absent(OCI_MANIFEST);
    const types = ["application/vnd.a+json", "application/vnd.b", "application/vnd.a+json"];
    for (const [n, artifactType] of types.entries()) {
      await pushManifest(repository, index([], { subject, artifactType, annotations: { n: String(n) } }));
    }
    const path = `/v2/${repository}/referrers/${subject.digest}`;
    for (const [type, count] of [
      ["application/vnd.a+json", 2],
      ["application/vnd.b", 1],
      ["application/vnd.c", 0],
    ] as const) {
      const response = await send("GET", `${path}?artifactType=${encodeURIComponent(type)}`);
      expect(response.headers.get("OCI-Filters-Applied")).toBe("artifactType");
      expect((await response.json<Referrers>()).manifests).toHaveLength(count);
    }
    for (const query of ["", "?artifactType="]) {
      const response = await send("GET", path + query);
      expect(response.headers.get("OCI-Filters-Applied")).toBeNull();
      expect((await response.json<Referrers>()).manifests).toHaveLength(3);
    }
  });

  it("finds an image without artifactType by its config", async () => {
    const repository = freshRepository();
    const subject = await absent(OCI_MANIFEST);
    const config = await pushBlob(repository, "{}", { mediaType: "application/vnd.config+json" });
    await pushManifest(repository, image(config, [], { subject }));
    const query = `?artifactType=${encodeURIComponent("application/vnd.config+json")}`;
    expect((await list(repository, subject.digest, query)).manifests).toHaveLength(1);
  });
});

describe("pages", () => {
  it("hold n entries each, filter and all, until the end", async () => {
    const repository = freshRepository();
    const subject = await absent(OCI_MANIFEST);
    const pushed: string[] = [];
    for (let n = 0; n < 9; n++) {
      const artifactType = n % 2 === 0 ? "a/even" : "a/odd";
      const { digest } = await pushManifest(
        repository,
        index([], { subject, artifactType, annotations: { n: String(n) } }),
      );
      pushed.push(digest);
    }
    const path = `/v2/${repository}/referrers/${subject.digest}`;
    const all = await follow(`${path}?n=4`);
    expect(all.map((page) => page.length)).toEqual([4, 4, 1]);
    expect(all.flat().map(({ digest }) => digest)).toEqual(pushed);
    const even = await follow(`${path}?artifactType=a%2Feven&n=2`);
    expect(even.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(even.flat().every(({ artifactType }) => artifactType === "a/even")).toBe(true);
    expect(await follow(`${path}?n=9`)).toHaveLength(1);
    expect(await follow(`${path}?n=0`)).toEqual([[]]);
  });

  it.each(["n=x", "n=-1", "last=x", "last=-1"])("refuse %s", async (query) => {
    const { digest } = await absent();
    const response = await send("GET", `/v2/${freshRepository()}/referrers/${digest}?${query}`);
    await expectError(response, 400, "PAGINATION_NUMBER_INVALID");
  });

  it.each([
    ["of ASCII", "x", 1],
    ["of three bytes for each character", "漢", 3],
  ])("stay below what clients read, with annotations %s", async (_name, character, width) => {
    const repository = freshRepository();
    const subject = await absent(OCI_MANIFEST);
    const pushed: string[] = [];
    for (let n = 0; n < 6; n++) {
      const annotations = { n: String(n), text: character.repeat(Math.floor(880_000 / width)) };
      pushed.push((await pushManifest(repository, index([], { subject, annotations }))).digest);
    }
    const pages = await follow(`/v2/${repository}/referrers/${subject.digest}`);
    expect(pages.flat().map(({ digest }) => digest)).toEqual(pushed);
  });

  it("list referrers too large for a row with their annotations", async () => {
    const repository = freshRepository();
    const subject = await absent(OCI_MANIFEST);
    const small = await pushManifest(repository, index([], { subject, annotations: { size: "small" } }));
    const text = "y".repeat(1_900_000);
    const large = await Promise.all(
      ["1", "2"].map(async (n) => await pushManifest(repository, index([], { subject, annotations: { n, text } }))),
    );
    const pages = await follow(`/v2/${repository}/referrers/${subject.digest}`);
    const listed = pages.flat();
    expect(listed.map(({ digest }) => digest).toSorted()).toEqual(
      [small, ...large].map(({ digest }) => digest).toSorted(),
    );
    expect(listed.filter(({ annotations }) => annotations?.text === text)).toHaveLength(2);
  });
});
