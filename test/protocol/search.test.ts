import { beforeAll, describe, expect, it } from "vitest";
import { answerOf, setRepository } from "../support/api.ts";
import { pushImage } from "../support/images.ts";
import { addAccount, askToken, bearerOf, createToken, setVisibility } from "../support/people.ts";
import { basicAuth, expectError, expectStatus, freshRepository, send, sendAnonymously } from "../support/registry.ts";
import { ask, freshWord, namesFound, searchPath } from "../support/searching.ts";

describe("GET /v1/_ping", () => {
  it("is answered to anybody, and says that credentials come with each request", async () => {
    const response = await expectStatus(await sendAnonymously("GET", "/v1/_ping"), 200);
    expect(response.headers.get("X-Docker-Registry-Standalone")).toBe("true");
    expect(await response.json()).toBe(true);
  });
});

describe("GET /v1/search", () => {
  it("answers what Docker reads", async () => {
    const word = freshWord();
    await pushImage(word, { tag: "v1" });
    await answerOf(await setRepository(word, { description: "What it is", stars: 3, official: true }));
    expect(await ask(searchPath(word))).toEqual({
      ...{ query: word, num_results: 1, num_pages: 1, page: 1, page_size: 25 },
      results: [{ name: word, description: "What it is", star_count: 3, is_official: true, is_automated: false }],
    });
  });

  describe("finds a name", () => {
    const word = freshWord();
    const name = `${word}/web-server_2.x`;
    beforeAll(async () => {
      await pushImage(name, { tag: "v1" });
    });

    it.each([
      ["whole", name],
      ["by its beginning", word.slice(0, 9)],
      ["by a part of a segment", `${word.slice(3)}/web`],
      ["by a part from within a word", word.slice(4, 14)],
      ["by words of it, the last unfinished", `${word} serv`],
      ["in capital letters", word.toUpperCase()],
      ["between spaces", `  ${word}  `],
    ])("%s", async (_how, q) => {
      expect(await namesFound(q)).toEqual([name]);
    });

    it.each([
      ["of which one word is not there", `${word} absent`],
      ["with syntax of FTS5, which is none here", `${word} OR absent`],
      ["with a column of FTS5", `words:${word}`],
    ])("but nothing %s", async (_how, q) => {
      expect(await namesFound(q)).toEqual([]);
    });
  });

  it("tells exact names first, then beginnings, segments, parts and at last other words, each by official and stars", async () => {
    const word = freshWord();
    const names = [word, `${word}-b`, `${word}/a`, `${word}/z`, `other/${word}`, `other/x${word}`, `other/y${word}`];
    for (const name of names) await pushImage(name, { tag: "v1" });
    const described = freshRepository();
    await pushImage(described, { tag: "v1" });
    await answerOf(await setRepository(described, { description: `about ${word}`, stars: 99, official: true }));
    await answerOf(await setRepository(`${word}/z`, { stars: 1 }));
    await answerOf(await setRepository(`other/y${word}`, { official: true }));
    expect(await namesFound(word)).toEqual([
      ...[word, `${word}/z`, `${word}-b`, `${word}/a`, `other/${word}`, `other/y${word}`, `other/x${word}`],
      described,
    ]);
  });

  it("finds names by one or two letters from their beginning", async () => {
    const word = freshWord().slice(0, 2);
    const name = `${word}${freshWord()}`;
    await pushImage(name, { tag: "v1" });
    for (const q of [word, word.slice(0, 1)]) {
      const found: string[] = [];
      const { num_pages: pages } = await ask(searchPath(q, { n: "100" }));
      for (let page = 1; page <= pages; page += 1) {
        const { results } = await ask(searchPath(q, { n: "100", page: String(page) }));
        found.push(...results.map((result) => result.name));
      }
      expect(found).toContain(name);
    }
  });

  it("gives as many as are asked for, and the next page", async () => {
    const word = freshWord();
    const names = ["a", "b", "c", "d", "e"].map((letter) => `${word}/${letter}`);
    for (const name of names) await pushImage(name, { tag: "v1" });
    const pages = [];
    for (const page of ["1", "2", "3", "4"]) {
      const answer = await ask(searchPath(word, { n: "2", page }));
      pages.push(answer.results.map(({ name }) => name));
      if (page !== "4") expect(answer).toMatchObject({ num_results: 5, num_pages: 3, page_size: 2 });
    }
    expect(pages).toEqual([names.slice(0, 2), names.slice(2, 4), names.slice(4), []]);
  });

  it.each(["n=0", "n=101", "n=-1", "n=x", "n=1.5", "page=0", "page=1001", "page=x"])("refuses %s", async (query) => {
    await expectError(await send("GET", `/v1/search?q=a&${query}`), 400, "PAGINATION_NUMBER_INVALID");
  });

  it.each([
    ...[
      '"',
      '""',
      '"a',
      "'",
      "*",
      "a*",
      "^a",
      "-a",
      "(",
      "NEAR(a b, 2)",
      "a AND",
      "NOT",
      "{name}:a",
      "a + b",
      "\\",
      ";",
    ],
    ...[
      "%",
      "_",
      "\u0000",
      "a\u0000b",
      "\ud800",
      "\ud83d\ude00",
      "日本語",
      "ß",
      "İ",
      "é",
      "a".repeat(5_000),
      "a ".repeat(500),
      " ",
      "",
    ],
  ])("takes %j for words, not for syntax", async (q) => {
    expect((await ask(searchPath(q, { n: "1" }))).results.length).toBeLessThanOrEqual(1);
  });

  it("finds everything by nothing", async () => {
    await pushImage(freshRepository(), { tag: "v1" });
    const { num_results: all } = await ask(searchPath(""));
    await pushImage(freshRepository(), { tag: "v1" });
    expect((await ask(searchPath(""))).num_results).toBe(all + 1);
  });
});

describe("who searches", () => {
  const word = freshWord();
  const [open, closed, hers] = [`${word}/open`, `${word}/closed`, `${word}/hers`];
  const all = [closed, hers, open];
  beforeAll(async () => {
    for (const name of all) await pushImage(name, { tag: "v1" });
    await setVisibility(open, "public");
  });

  it("finds what they may pull, and nothing else", async () => {
    const alice = await addAccount({ [hers]: ["pull"], [closed]: ["push"] });
    const robot = await createToken(`${word}/clo*`, ["pull"]);
    expect(await namesFound(word)).toEqual(all);
    expect(await namesFound(word, alice)).toEqual([hers, open]);
    expect(await namesFound(word, robot)).toEqual([closed, open]);
    expect(await namesFound(word, "nobody")).toEqual([open]);
    expect(await ask(searchPath(word, { n: "1" }), alice)).toMatchObject({ num_results: 2 });
  });

  it.each([["registry:catalog:search"], ["registry:catalog:*"], ["registry:api:*"]])(
    "may send a bearer token for %s",
    async (scope) => {
      const alice = await addAccount({ [hers]: ["pull"] });
      const headers = await bearerOf(alice, scope);
      const found = await expectStatus(await sendAnonymously("GET", searchPath(word), { headers }), 200);
      expect(await found.json()).toMatchObject({ num_results: 2 });
    },
  );

  it("may not send one for something else", async () => {
    const alice = await addAccount({ [hers]: ["pull"] });
    const { token } = await askToken(alice, `repository:${hers}:pull`);
    const response = await sendAnonymously("GET", searchPath(word), { headers: { Authorization: `Bearer ${token}` } });
    expect(response.headers.get("WWW-Authenticate")).toContain('scope="registry:catalog:search"');
    await expectError(response, 401, "UNAUTHORIZED");
  });

  it("cannot list the catalog by a token for searches", async () => {
    const headers = await bearerOf(await addAccount(), "registry:catalog:search");
    await expectError(await sendAnonymously("GET", "/v2/_catalog", { headers }), 401, "UNAUTHORIZED");
  });

  it("is nobody by Docker's empty pair", async () => {
    const headers = { Authorization: basicAuth("", "") };
    const found = await expectStatus(await sendAnonymously("GET", searchPath(word), { headers }), 200);
    expect(await found.json()).toMatchObject({ num_results: 1 });
  });

  it("is refused with wrong credentials", async () => {
    const headers = { Authorization: basicAuth("admin", "wrong-password") };
    await expectError(await sendAnonymously("GET", searchPath(word), { headers }), 401, "UNAUTHORIZED");
  });

  it("hears without credentials that some are needed, where nobody in particular finds nothing: podman then uses its own", async () => {
    const response = await sendAnonymously("GET", searchPath(`${word}/closed`));
    expect(response.headers.get("WWW-Authenticate")).toContain("Bearer realm=");
    await expectError(response, 401, "UNAUTHORIZED");
    await expectStatus(await sendAnonymously("GET", searchPath(word)), 200);
  });

  it("finds no more of what becomes private, or is deleted, at once", async () => {
    const name = `${freshWord()}/gone`;
    await pushImage(name, { tag: "v1" });
    await setVisibility(name, "public");
    expect(await namesFound(name, "nobody")).toEqual([name]);
    await setVisibility(name, "private");
    expect(await namesFound(name, "nobody")).toEqual([]);
    expect(await namesFound(name)).toEqual([name]);
    await expectStatus(await send("DELETE", `/api/repositories/${name}`), 204);
    expect(await namesFound(name)).toEqual([]);
  });
});
