import { describe, expect, it } from "vitest";
import { absent, image, pushBlob, pushImage, serialise } from "../support/images.ts";
import { addAccount, bearerOf, createToken, grant, type Person, sendAs, setVisibility } from "../support/people.ts";
import { basicAuth, expectError, expectStatus, freshRepository, send, sendAnonymously } from "../support/registry.ts";
import { bearer } from "../support/tokens.ts";

/** A repository with one tagged image, and nothing that lets anyone in. */
async function makePrivate(): Promise<{ repository: string; digest: string }> {
  const repository = freshRepository();
  const { digest } = await pushImage(repository, { tag: "v1" });
  return { repository, digest };
}

async function makePublic(): Promise<{ repository: string; digest: string }> {
  const made = await makePrivate();
  await setVisibility(made.repository, "public");
  return made;
}

const READS = ["tags/list", "manifests/v1", "referrers/%"];
const read = (repository: string, digest: string, path: string) => `/v2/${repository}/${path.replace("%", digest)}`;

describe("a public repository", () => {
  it.each(READS)("lets anyone GET %s, without a token and with one", async (path) => {
    const { repository, digest } = await makePublic();
    await expectStatus(await sendAnonymously("GET", read(repository, digest, path)), 200);
    const headers = await bearerOf(undefined, `repository:${repository}:pull`);
    await expectStatus(await sendAnonymously("GET", read(repository, digest, path), { headers }), 200);
    const emptyPair = { Authorization: basicAuth("", "") };
    await expectStatus(await sendAnonymously("GET", read(repository, digest, path), { headers: emptyPair }), 200);
  });

  it("lets nobody push or delete without an account, whatever is asked for", async () => {
    const { repository, digest } = await makePublic();
    const headers = await bearerOf(undefined, `repository:${repository}:pull,push,delete`);
    for (const sent of [{}, { headers }]) {
      const attempts = [
        ["POST", "blobs/uploads/"],
        ["PUT", "manifests/v2"],
        ["DELETE", "manifests/v1"],
        ["DELETE", `manifests/${digest}`],
      ] as const;
      for (const [method, path] of attempts) {
        await expectError(await sendAnonymously(method, `/v2/${repository}/${path}`, sent), 401, "UNAUTHORIZED");
      }
    }
  });

  it("is open to accounts that no rule names", async () => {
    const { repository, digest } = await makePublic();
    const person = await addAccount();
    await expectStatus(await sendAs(person, "GET", read(repository, digest, "manifests/v1")), 200);
    const headers = await bearerOf(person, `repository:${repository}:pull,push`);
    await expectStatus(await sendAnonymously("GET", read(repository, digest, "manifests/v1"), { headers }), 200);
    await expectError(await sendAs(person, "POST", `/v2/${repository}/blobs/uploads/`), 403, "DENIED");
  });

  it("is public by its pattern, those to come included, and private again without it", async () => {
    const prefix = freshRepository();
    await setVisibility(`${prefix}/**`, "public");
    await pushImage(`${prefix}/a/b`, { tag: "v1" });
    await expectStatus(await sendAnonymously("GET", `/v2/${prefix}/a/b/manifests/v1`), 200);
    await expectError(await sendAnonymously("GET", `/v2/${prefix}/manifests/v1`), 401, "UNAUTHORIZED");
    await setVisibility(`${prefix}/**`, "private");
    await expectError(await sendAnonymously("GET", `/v2/${prefix}/a/b/manifests/v1`), 401, "UNAUTHORIZED");
  });
});

describe("a private repository", () => {
  it.each(READS)("answers GET %s to whoever may not like one that does not exist", async (path) => {
    const { repository, digest } = await makePrivate();
    const nowhere = freshRepository();
    const person = await addAccount();
    const robot = await createToken("elsewhere/*", ["pull", "push", "delete"]);
    const tokens = await Promise.all(
      [undefined, person, robot].map(
        async (one) => await bearerOf(one, `repository:${repository}:pull`, `repository:${nowhere}:pull`),
      ),
    );
    for (const headers of [{}, person.basic, robot.basic, ...tokens]) {
      const [here, there] = await Promise.all(
        [repository, nowhere].map(async (name) => {
          const response = await sendAnonymously("GET", read(name, digest, path), { headers });
          const text = JSON.stringify([response.status, [...response.headers], await response.text()]);
          return text.replaceAll(name, "NAME");
        }),
      );
      expect(here).toBe(there);
      expect(here).toMatch(/^\[40[13]/);
    }
  });
});

describe("rules", () => {
  it.each<[string, string[], [string, number][]]>([
    [
      "pull",
      ["pull"],
      [
        ["GET", 200],
        ["POST", 403],
        ["DELETE", 403],
      ],
    ],
    [
      "push",
      ["push"],
      [
        ["GET", 403],
        ["POST", 202],
        ["DELETE", 403],
      ],
    ],
    [
      "delete",
      ["delete"],
      [
        ["GET", 403],
        ["POST", 403],
        ["DELETE", 202],
      ],
    ],
    [
      "all",
      ["pull", "push", "delete"],
      [
        ["GET", 200],
        ["POST", 202],
        ["DELETE", 202],
      ],
    ],
  ])(
    "to %s allow that and nothing else, by Basic and by Bearer, for accounts and access tokens",
    async (_what, actions, expected) => {
      for (const scheme of ["basic", "bearer"]) {
        const { repository } = await makePrivate();
        const people = [await addAccount({ [repository]: actions }), await createToken(repository, actions)];
        for (const person of people) {
          await pushImage(repository, { tag: "v1" });
          const token = await bearerOf(person, `repository:${repository}:pull,push,delete`);
          for (const [method, status] of expected) {
            const path = method === "POST" ? "blobs/uploads/" : "manifests/v1";
            const headers = scheme === "basic" ? person.basic : token;
            const response = await sendAnonymously(method, `/v2/${repository}/${path}`, { headers });
            expect([scheme, method, response.status]).toEqual([
              scheme,
              method,
              status === 403 && scheme === "bearer" ? 401 : status,
            ]);
          }
        }
      }
    },
  );

  it("do not reach what their pattern does not hold", async () => {
    const prefix = freshRepository();
    const person = await addAccount({ [`${prefix}/*`]: ["pull", "push"] });
    const may: [string, number][] = [
      [`${prefix}/app`, 202],
      [prefix, 403],
      [`${prefix}/app/sub`, 403],
      [`${prefix}x/app`, 403],
    ];
    for (const [repository, status] of may) {
      expect([repository, (await sendAs(person, "POST", `/v2/${repository}/blobs/uploads/`)).status]).toEqual([
        repository,
        status,
      ]);
    }
  });

  it("give an admin everything, and a member nothing by themselves", async () => {
    const { repository } = await makePrivate();
    const [admin, member] = [await addAccount({}, "admin"), await addAccount()];
    await expectStatus(await sendAs(admin, "GET", `/v2/${repository}/tags/list`), 200);
    await expectError(await sendAs(member, "GET", `/v2/${repository}/tags/list`), 403, "DENIED");
  });
});

describe("the catalog", () => {
  const listed = async (headers: Record<string, string>, query: string): Promise<string[]> => {
    const response = await expectStatus(await sendAnonymously("GET", `/v2/_catalog?${query}`, { headers }), 200);
    return (await response.json<{ repositories: string[] }>()).repositories;
  };

  it("shows everyone what they may pull, each once and in order", async () => {
    const prefix = freshRepository();
    for (const name of ["a", "b", "b/c", "d", "e"]) await pushBlob(`${prefix}/${name}`, "x");
    await setVisibility(`${prefix}/d`, "public");
    const person = await addAccount({
      [`${prefix}/b/**`]: ["pull"],
      [`${prefix}/*`]: ["push"],
      [`${prefix}/a`]: ["pull"],
    });
    await grant(`account:${person.name}`, { [`${prefix}/d`]: ["pull"], [`${prefix}/b/*`]: ["pull", "delete"] });
    const robot = await createToken(`${prefix}/e`, ["pull"]);
    const last = `last=${prefix}&n=9`;
    const ours = (names: string[]) =>
      names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length + 1));
    for (const scheme of ["basic", "bearer"] as const) {
      const headersOf = async (one: Person) =>
        scheme === "basic" ? one.basic : await bearerOf(one, "registry:catalog:*");
      expect(ours(await listed(await headersOf(person), last))).toEqual(["a", "b/c", "d"]);
      expect(ours(await listed(await headersOf(robot), last))).toEqual(["d", "e"]);
    }
    expect(ours(await listed(await bearerOf(undefined, "registry:catalog:*"), last))).toEqual(["d"]);
    expect(ours(await listed(await bearer("registry:catalog:*"), last))).toEqual(["a", "b", "b/c", "d", "e"]);
    expect(await listed(person.basic, `last=${prefix}/a&n=1`)).toEqual([`${prefix}/b/c`]);
  });

  it("asks who it is that wants it, since it is another one for each", async () => {
    await expectError(await sendAnonymously("GET", "/v2/_catalog"), 401, "UNAUTHORIZED");
  });
});

describe("a blob of another repository", () => {
  it("is not there, whoever knows its digest", async () => {
    const source = freshRepository();
    const { digest, size } = await pushBlob(source, crypto.randomUUID());
    const own = freshRepository();
    const person = await addAccount({ [own]: ["pull", "push"] });
    await expectStatus(
      await sendAs(person, "POST", `/v2/${own}/blobs/uploads/?digest=${(await absent()).digest}`),
      202,
    );
    const config = await pushBlob(own, "{}");
    await expectError(await sendAs(person, "GET", `/v2/${own}/blobs/${digest}`), 404, "BLOB_UNKNOWN");
    const manifest = image(config, [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size }]);
    const response = await sendAs(person, "PUT", `/v2/${own}/manifests/v1`, {
      body: serialise(manifest),
      headers: { "Content-Type": "application/vnd.oci.image.manifest.v1+json" },
    });
    await expectError(response, 404, "MANIFEST_BLOB_UNKNOWN");
  });

  it("is mounted for who may pull there, and else uploaded, as if it were not there", async () => {
    const [open, closed, own] = [freshRepository(), freshRepository(), freshRepository()];
    const { digest } = await pushBlob(open, crypto.randomUUID());
    const secret = await pushBlob(closed, crypto.randomUUID());
    const nothing = await absent();
    const person = await addAccount({ [own]: ["pull", "push"], [open]: ["pull"], [closed]: ["push"] });
    const mounts: [string, number][] = [
      [`mount=${secret.digest}&from=${closed}`, 202],
      [`mount=${nothing.digest}&from=${closed}`, 202],
      [`mount=${secret.digest}&from=${open}`, 202],
      [`mount=${secret.digest}&from=${own}`, 202],
      [`mount=${secret.digest}`, 202],
      [`mount=${digest}`, 202],
      [`mount=${digest}&from=${open}`, 201],
    ];
    const token = await bearerOf(
      person,
      `repository:${own}:pull,push`,
      `repository:${open}:pull`,
      `repository:${closed}:pull`,
    );
    for (const [query, status] of mounts) {
      for (const headers of [person.basic, token]) {
        const response = await sendAnonymously("POST", `/v2/${own}/blobs/uploads/?${query}`, { headers });
        expect([query, response.status]).toEqual([query, status]);
        if (status === 202) await sendAs(person, "DELETE", response.headers.get("Location")!);
      }
    }
    await expectStatus(await sendAs(person, "HEAD", `/v2/${own}/blobs/${secret.digest}`), 404);
    await expectStatus(await sendAs(person, "HEAD", `/v2/${own}/blobs/${digest}`), 200);
  });

  it("is not mounted for a token without the source in its scope", async () => {
    const [source, own] = [freshRepository(), freshRepository()];
    const { digest } = await pushBlob(source, crypto.randomUUID());
    const person = await addAccount({ [own]: ["pull", "push"], [source]: ["pull"] });
    const mount = `/v2/${own}/blobs/uploads/?mount=${digest}&from=${source}`;
    const narrow = await bearerOf(person, `repository:${own}:pull,push`);
    await expectStatus(await sendAnonymously("POST", mount, { headers: narrow }), 202);
    const wide = await bearerOf(person, `repository:${own}:pull,push`, `repository:${source}:pull`);
    await expectStatus(await sendAnonymously("POST", mount, { headers: wide }), 201);
  });
});

describe("a repository name that is none", () => {
  it.each(["A/b", "a..b", "a//b", "a%2fb", "a%2Fb", "%2e%2e/v2/a..b", "é", "a".repeat(256), "a/b/", "-a"])(
    "%s opens nothing, and is told before anything is asked",
    async (name) => {
      const person = await addAccount({ "**": ["pull"] });
      for (const headers of [{}, person.basic]) {
        const response = await sendAnonymously("GET", `/v2/${name}/tags/list`, { headers });
        expect([400, 404]).toContain(response.status);
      }
    },
  );
});

it("an access token serves as a bearer token too", async () => {
  const { repository } = await makePrivate();
  const robot = await createToken(repository, ["pull"]);
  const headers = { Authorization: `Bearer ${robot.password}` };
  await expectStatus(await sendAnonymously("GET", `/v2/${repository}/tags/list`, { headers }), 200);
  await expectError(await sendAnonymously("POST", `/v2/${repository}/blobs/uploads/`, { headers }), 403, "DENIED");
  await expectStatus(await send("DELETE", `/api/tokens/${robot.name}`), 204);
  await expectError(await sendAnonymously("GET", `/v2/${repository}/tags/list`, { headers }), 401, "UNAUTHORIZED");
});
