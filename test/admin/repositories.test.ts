import { beforeAll, describe, expect, it } from "vitest";
import {
  answerOf,
  callApi,
  eventsAbout,
  expectInvalid,
  expectRefusal,
  readPages,
  type Repository,
  setRepository,
  showRepository,
} from "../support/api.ts";
import { idleMirror } from "../support/mirrors.ts";
import { image, index, OCI_CONFIG, pushBlob, pushImage, pushManifest, randomBytes } from "../support/images.ts";
import { addAccount, bearerOf, createToken, type Person, setVisibility } from "../support/people.ts";
import { expectError, expectStatus, freshRepository, send, sendAnonymously } from "../support/registry.ts";
import { rows } from "../support/uploads.ts";

/** What of a prefix someone's list shows, as names with their visibility. */
async function list(headers: Readonly<Record<string, string>> | undefined, prefix: string): Promise<string[]> {
  const path = `repositories?last=${encodeURIComponent(prefix)}`;
  const { repositories } = await answerOf<{ repositories: Repository[] }>(
    await callApi("GET", path, undefined, headers),
  );
  return repositories
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, visibility }) => `${name.slice(prefix.length)} ${visibility}`);
}

const PULL = ["pull"];

describe("the list of repositories", () => {
  const prefix = freshRepository();
  const NAMES = ["/a", "/a/b", "/b", "/c-1", "/c-2/x", "/d"];
  let member: Person;

  beforeAll(async () => {
    for (const name of NAMES) await pushBlob(`${prefix}${name}`, name);
    member = await addAccount({ [`${prefix}/a`]: PULL, [`${prefix}/d`]: ["push", "delete"] });
    await setVisibility(`${prefix}/b`, "public");
    await setVisibility(`${prefix}/c-2/**`, "public");
  });

  it("shows an admin everything, and whether anyone may pull it", async () => {
    expect(await list(undefined, prefix)).toEqual(
      ["/a private", "/a/b private", "/b public", "/c-1 private", "/c-2/x public", "/d private"].toSorted(),
    );
  });

  it("shows a member what they may pull, by Basic and by token", async () => {
    const expected = ["/a private", "/b public", "/c-2/x public"];
    expect(await list(member.basic, prefix)).toEqual(expected);
    expect(await list(await bearerOf(member, "registry:api:*"), prefix)).toEqual(expected);
  });

  it("shows an access token what it may pull, each once, however many rules say so", async () => {
    const robot = await createToken(`${prefix}/**`, PULL);
    expect(await list(robot.basic, prefix)).toHaveLength(NAMES.length);
    const narrow = await createToken(`${prefix}/a/*`, PULL);
    expect(await list(narrow.basic, prefix)).toEqual(["/a/b private", "/b public", "/c-2/x public"]);
  });

  it("shows what a rule opens at once, whatever the token", async () => {
    const person = await addAccount();
    const headers = await bearerOf(person, "registry:api:*");
    expect(await list(headers, prefix)).toEqual(["/b public", "/c-2/x public"]);
    const rule = { subject: `account:${person.name}`, repository: `${prefix}/d`, actions: PULL };
    await answerOf(await callApi("POST", "policy/rules", rule));
    expect(await list(headers, prefix)).toEqual(["/b public", "/c-2/x public", "/d private"]);
  });

  it.each([1, 2, 4])("comes in pages of %i", async (n) => {
    const pages = await readPages<Repository>(`repositories?n=${n}&last=${prefix}`, "repositories", Math.ceil(6 / n));
    expect(
      pages
        .flat()
        .map(({ name }) => name)
        .slice(0, 6),
    ).toEqual(NAMES.map((name) => `${prefix}${name}`).toSorted());
    expect(pages[0]).toHaveLength(n);
    const [first] = pages.flat();
    expect(Math.abs(Date.parse(first!.createdAt) - Date.now())).toBeLessThan(600_000);
  });
});

describe("a repository", () => {
  it("is shown with the sums of what it holds, each content once", async () => {
    const repository = freshRepository();
    const layer = await pushBlob(repository, randomBytes(5_000));
    const config = await pushBlob(repository, randomBytes(300), { mediaType: OCI_CONFIG });
    const one = await pushManifest(repository, image(config, [layer, layer]), { tag: "v1" });
    const two = await pushManifest(repository, image(config, [layer], { annotations: { a: "b" } }), { tag: "v2" });
    await expectStatus(
      await send("PUT", `/v2/${repository}/manifests/latest`, {
        body: await (await send("GET", `/v2/${repository}/manifests/v2`)).text(),
        headers: { "Content-Type": two.mediaType },
      }),
      201,
    );
    const all = await pushManifest(repository, index([one, two]));
    expect(await showRepository(repository)).toMatchObject({
      ...{ name: repository, visibility: "private", upstream: null, tags: 3, manifests: 3, immutableTags: [] },
      size: layer.size + config.size + one.size + two.size + all.size,
    });
  });

  it("says of which upstream it is a mirror", async () => {
    const { repository, upstream } = await idleMirror();
    const { repositories } = await answerOf<{ repositories: Repository[] }>(
      await callApi("GET", `repositories?q=${repository}`),
    );
    expect(repositories).toMatchObject([{ name: repository, upstream }]);
    expect(await showRepository(repository)).toMatchObject({ upstream });
  });

  it("counts a blob that it shares with others, and theirs not", async () => {
    const [one, other] = [freshRepository(), freshRepository()];
    const shared = await pushBlob(one, randomBytes(1_000));
    await pushBlob(other, randomBytes(500));
    const mount = `/v2/${other}/blobs/uploads/?mount=${shared.digest}&from=${one}`;
    await expectStatus(await send("POST", mount), 201);
    expect([(await showRepository(one)).size, (await showRepository(other)).size]).toEqual([1_000, 1_500]);
  });

  it("is known by its name, with its slashes escaped or not, and by nothing else", async () => {
    const repository = freshRepository();
    await pushBlob(repository, "x");
    expect((await showRepository(repository.replaceAll("/", "%2F"))).name).toBe(repository);
    await expectRefusal(await callApi("GET", `repositories/${repository}/x`), 404, "NAME_UNKNOWN");
    for (const name of ["A", "a//b", "a%252fb", "é", "a%00", "a*", "**", "a".repeat(256), "a/%2e%2e%2fb"]) {
      for (const method of ["GET", "DELETE"]) {
        const response = await callApi(method, `repositories/${name}`);
        expect([name, response.status]).toEqual([name, 400]);
        await expectError(response, 400, "NAME_INVALID");
      }
    }
    await expectError(await callApi("GET", "repositories/%zz"), 404, "NOT_FOUND");
  });
});

describe("visibility", () => {
  it("is set by name, and shown", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1" });
    const read = async () => (await sendAnonymously("GET", `/v2/${repository}/manifests/v1`)).status;
    expect(await read()).toBe(401);
    const answer = await answerOf(await setRepository(repository, { visibility: "public" }));
    expect(answer).toEqual({ repository, visibility: "public" });
    expect([(await showRepository(repository)).visibility, await read()]).toEqual(["public", 200]);
    await answerOf(await setRepository(repository, { visibility: "public" }));
    await answerOf(await setRepository(repository, { visibility: "private" }));
    expect([(await showRepository(repository)).visibility, await read()]).toEqual(["private", 401]);
    await answerOf(await setRepository(repository, { visibility: "private" }));
  });

  it("is set by pattern before there is a repository", async () => {
    const prefix = freshRepository();
    for (const pattern of [`${prefix}/one/**`, `${prefix}/two`, `${prefix}/t*/x`]) {
      expect(await answerOf(await setRepository(pattern, { visibility: "public" }))).toMatchObject({
        repository: pattern,
      });
    }
    const visibilities: [string, string][] = [
      ["one", "private"],
      ["one/a/b", "public"],
      ["two", "public"],
      ["three/x", "public"],
      ["three/x/y", "private"],
    ];
    for (const [name, visibility] of visibilities) {
      await pushBlob(`${prefix}/${name}`, "x");
      expect([name, (await showRepository(`${prefix}/${name}`)).visibility]).toEqual([name, visibility]);
    }
  });

  it("cannot be private where another pattern keeps it public, and nothing else changes then", async () => {
    const prefix = freshRepository();
    const repository = `${prefix}/a`;
    await setVisibility(`${prefix}/*`, "public");
    await setVisibility(repository, "public");
    const response = await setRepository(repository, { visibility: "private", immutableTags: true });
    const { detail } = await expectRefusal(response, 409, "CONFLICT", `${prefix}/*`, "make that private first");
    expect(detail).toEqual({ repository: `${prefix}/*` });
    await pushBlob(repository, "x");
    expect(await showRepository(repository)).toMatchObject({ visibility: "public", immutableTags: [] });
  });

  it("is private with its pattern, which takes all within it along, and says so in the audit trail", async () => {
    const prefix = freshRepository();
    const repository = `${prefix}/a`;
    await setVisibility(`${prefix}/*`, "public");
    await setVisibility(repository, "public");
    await setVisibility(`${prefix}/a-2/x`, "public");
    await pushBlob(repository, "x");
    await setVisibility(`${prefix}/*`, "private");
    expect((await showRepository(repository)).visibility).toBe("private");
    const events = await eventsAbout(`${prefix}/*`);
    expect(events.at(-1)).toMatchObject({ detail: { visibility: "private", others: [repository] } });
    const { rules } = await answerOf<{ rules: unknown[] }>(
      await callApi("GET", `policy/rules?subject=anyone&repository=${encodeURIComponent(`${prefix}/a-2/x`)}`),
    );
    expect(rules).toHaveLength(1);
  });

  it("is a rule of the policy, whichever way it is set", async () => {
    const repository = freshRepository();
    await setVisibility(repository, "public");
    const query = `subject=anyone&repository=${encodeURIComponent(repository)}`;
    const { rules } = await answerOf<{ rules: unknown[] }>(await callApi("GET", `policy/rules?${query}`));
    expect(rules).toMatchObject([{ subject: "anyone", repository, actions: PULL }]);
    expect((await callApi("DELETE", `policy/rules?${query}`)).status).toBe(204);
    await pushBlob(repository, "x");
    expect((await showRepository(repository)).visibility).toBe("private");
  });
});

describe("immutable tags", () => {
  it("are set, shown, set anew and taken away, by name and by pattern", async () => {
    const prefix = freshRepository();
    const repository = `${prefix}/a`;
    await pushBlob(repository, "x");
    const byName = { immutableTags: true, exceptTags: ["dev-*", "latest"] };
    expect(await answerOf(await setRepository(repository, byName))).toEqual({ repository, ...byName });
    const pattern = `${prefix}/**`;
    const answer = await answerOf(await setRepository(pattern, { immutableTags: true }));
    expect(answer).toEqual({ repository: pattern, immutableTags: true, exceptTags: [] });
    const except = byName.exceptTags;
    const both = [
      { repository: pattern, except: [] },
      { repository, except },
    ];
    expect((await showRepository(repository)).immutableTags).toEqual(both);
    await answerOf(await setRepository(repository, { immutableTags: true, exceptTags: ["x"] }));
    expect((await showRepository(repository)).immutableTags![1]).toEqual({ repository, except: ["x"] });
    const gone = await answerOf(await setRepository(repository, { immutableTags: false }));
    expect(gone).toEqual({ repository, immutableTags: false });
    expect((await showRepository(repository)).immutableTags).toEqual([both[0]]);
    await answerOf(await setRepository(repository, { immutableTags: false }));
    await answerOf(await setRepository(pattern, { immutableTags: false }));
    expect((await showRepository(repository)).immutableTags).toEqual([]);
  });
});

describe("expiring tags", () => {
  it("are shown with the patterns that let them end", async () => {
    const prefix = freshRepository();
    const repository = `${prefix}/app`;
    await pushBlob(repository, "x");
    expect((await showRepository(repository)).expiringTags).toEqual([]);
    const patterns = [`${prefix}/**`, `${prefix}/*`, `${prefix}/a*p`, repository];
    for (const pattern of [...patterns, `${prefix}/*/x`, `${prefix}/app/**`]) {
      await answerOf(await setRepository(pattern, { expiringTags: true }));
    }
    const shown = (await showRepository(repository)).expiringTags;
    expect(shown).toEqual(patterns.toSorted().map((pattern) => ({ repository: pattern })));
    for (const pattern of patterns) await answerOf(await setRepository(pattern, { expiringTags: false }));
    expect((await showRepository(repository)).expiringTags).toEqual([]);
  });
});

describe("rules for tags", () => {
  const settings = {
    immutable: { table: "immutable_tags", on: { immutableTags: true }, off: { immutableTags: false } },
    expiring: { table: "expiring_tags", on: { expiringTags: true }, off: { expiringTags: false } },
  };

  it.each([
    ["immutable", settings.immutable, settings.expiring],
    ["expiring", settings.expiring, settings.immutable],
  ])(
    "that are %s are at most 200; one more changes nothing, and one that is there is set again",
    async (kind, full, other) => {
      const prefix = freshRepository();
      await answerOf(await setRepository(`${prefix}/there`, full.on));
      await answerOf(await setRepository(`${prefix}/more`, other.on));
      const [{ count } = { count: 0 }] = await rows<{ count: number }>(`SELECT COUNT(*) AS count FROM ${full.table}`);
      const exceptions = kind === "immutable" ? [", except_tags", ", '[]'"] : ["", ""];
      await rows(
        `WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?2)
       INSERT INTO ${full.table} (repository, created_at, created_by${exceptions[0]})
       SELECT ?1 || '/r' || value, 0, 'test'${exceptions[1]} FROM n`,
        ...[prefix, 200 - count],
      );
      try {
        const response = await setRepository(`${prefix}/more`, { ...full.on, ...other.off, visibility: "public" });
        await expectRefusal(response, 409, "CONFLICT", `200 rules for ${kind} tags`, "join some in a pattern");
        expect(await rows(`SELECT * FROM ${other.table} WHERE repository = ?1`, `${prefix}/more`)).toHaveLength(1);
        await answerOf(await setRepository(`${prefix}/there`, full.on));
        await answerOf(await setRepository(`${prefix}/more`, { visibility: "private" }));
        const changes = (await eventsAbout(`${prefix}/more`)).map(({ detail }) => detail);
        expect(changes).toEqual([expect.objectContaining(other.on), { visibility: "private" }]);
      } finally {
        for (const { table } of [full, other])
          await rows(`DELETE FROM ${table} WHERE repository GLOB ?1 || '*'`, prefix);
      }
    },
  );
});

describe("what is no setting is refused:", () => {
  it.each<[string, unknown, string]>([
    ["nothing", {}, ""],
    ["an unknown visibility", { visibility: "secret" }, "visibility"],
    ["a visibility in capitals", { visibility: "Public" }, "visibility"],
    ["no visibility at all", { visibility: null }, "visibility"],
    ["a text for immutable tags", { immutableTags: "true" }, "immutableTags"],
    ["exceptions alone", { exceptTags: ["a"] }, ""],
    ["exceptions from nothing", { immutableTags: false, exceptTags: ["a"] }, ""],
    ["exceptions as a text", { immutableTags: true, exceptTags: "a" }, "exceptTags"],
    ["an exception with a slash", { immutableTags: true, exceptTags: ["a/b"] }, "exceptTags.0"],
    ["an empty exception", { immutableTags: true, exceptTags: ["a", ""] }, "exceptTags.1"],
    ["an exception in unicode", { immutableTags: true, exceptTags: ["é"] }, "exceptTags.0"],
    ["a long exception", { immutableTags: true, exceptTags: ["a".repeat(51)] }, "exceptTags.0"],
    ["a class of letters", { immutableTags: true, exceptTags: ["v[0-9]"] }, "exceptTags.0"],
    ["101 exceptions", { immutableTags: true, exceptTags: Array(101).fill("a") }, "exceptTags"],
    ["a misspelt setting", { visibilty: "public" }, "visibilty"],
    ["a setting that there is none of", { visibility: "public", name: "b" }, "name"],
  ])("%s", async (_what, settings, path) => {
    const repository = freshRepository();
    await expectInvalid(await setRepository(repository, settings as object), path);
    expect(await eventsAbout(repository)).toEqual([]);
  });

  it.each(["A/*", "a**", "**/a", "a/**/b", "a%2f%2fb", "*/**", "a?", "é", `${"a".repeat(50)}*`])(
    "the pattern %s",
    async (pattern) => {
      const escaped = pattern.replace("?", "%3F");
      const error = await expectError(await setRepository(escaped, { visibility: "public" }), 400, "NAME_INVALID");
      expect(error.message).toContain("team/*");
    },
  );

  it("a parameter", async () => {
    await expectInvalid(await setRepository("a?visibility=public", { visibility: "private" }), "visibility");
    await expectInvalid(await callApi("DELETE", `repositories/${freshRepository()}?force=1`), "force");
  });
});
