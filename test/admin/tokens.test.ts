import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import {
  answerOf,
  callApi,
  eventsAbout,
  expectDone,
  expectInvalid,
  expectPagesByName,
  expectRefusal,
  findListed,
  freshName,
} from "../support/api.ts";
import { pushImage } from "../support/images.ts";
import { captureLogs } from "../support/logs.ts";
import { createToken, grant, type Person, sendAs } from "../support/people.ts";
import { basicAuth, expectError, expectStatus, freshRepository, send, sendAnonymously } from "../support/registry.ts";

interface Token {
  readonly name: string;
  readonly id: string;
  readonly grants: { readonly repository: string; readonly actions: string[] }[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly token?: string;
}

const order = (change: object = {}) => ({
  ...{ name: freshName(), repositories: ["team/*"], actions: ["pull"], expires: "90d" },
  ...change,
});

async function create(change: object = {}): Promise<Token & { readonly token: string }> {
  return await answerOf(await callApi("POST", "tokens", order(change)), 201);
}

const listed = async (name: string) => await findListed<Token>("tokens", "tokens", name);

const personOf = ({ name, token }: { name: string; token: string }): Person => ({
  ...{ name, username: "robot", password: token },
  basic: { Authorization: basicAuth("robot", token) },
});

describe("an access token is made", () => {
  it("with its grants, and shown as it is in the list, but for its text", async () => {
    const { token, ...made } = await create({ repositories: ["team/*", "app"], actions: ["delete", "pull"] });
    expect(token).toMatch(/^stw_[0-9a-f]{16}_[0-9a-f]{64}$/);
    expect(made).toMatchObject({ id: token.split("_")[1], createdBy: "account:admin", lastUsedAt: null });
    const actions = ["pull", "delete"];
    expect(made.grants.toSorted((a, b) => (a.repository < b.repository ? -1 : 1))).toEqual([
      { repository: "app", actions },
      { repository: "team/*", actions },
    ]);
    const { grants, ...rest } = (await listed(made.name))!;
    expect(rest).toEqual({ ...made, grants: undefined });
    expect(grants).toHaveLength(2);
    expect(grants).toEqual(expect.arrayContaining(made.grants));
  });

  it.each([
    ["1s", 1_000],
    ["12h", 43_200_000],
    ["90d", 7_776_000_000],
    ["36500d", 36_500 * 86_400_000],
    ["never", undefined],
  ])("for %s", async (expires, lifeMs) => {
    const { createdAt, expiresAt } = await create({ expires });
    expect(expiresAt).toBe(lifeMs === undefined ? null : new Date(Date.parse(createdAt) + lifeMs).toISOString());
  });

  it("for a pattern that is there twice as for one, and for actions in their own order", async () => {
    const { grants } = await create({ repositories: ["a", "a"], actions: ["push", "pull", "push"] });
    expect(grants).toEqual([{ repository: "a", actions: ["pull", "push"] }]);
  });

  it("for up to 50 patterns", async () => {
    const repositories = Array.from({ length: 50 }, (_, number) => `team${number}/*`);
    expect((await create({ repositories })).grants).toHaveLength(50);
    await expectInvalid(
      await callApi("POST", "tokens", order({ repositories: [...repositories, "a"] })),
      "repositories",
    );
  });

  it("once under a name: the one that is there keeps its text and its rights", async () => {
    const repository = freshRepository();
    await pushImage(repository);
    const first = await create({ repositories: [repository] });
    const again = order({ name: first.name, repositories: ["**"], actions: ["push"] });
    await expectRefusal(await callApi("POST", "tokens", again), 409, "CONFLICT", first.name, "already");
    await expectStatus(await sendAs(personOf(first), "GET", `/v2/${repository}/tags/list`), 200);
    expect((await listed(first.name))!.grants).toEqual([{ repository, actions: ["pull"] }]);
    expect(await eventsAbout(first.name)).toHaveLength(1);
  });
});

const PATTERNS: unknown[] = [
  ...[
    "",
    " ",
    "A/*",
    "a//b",
    "/a",
    "a/",
    "a/../b",
    "..",
    "a%2fb",
    "é/*",
    "a b",
    "***",
    "a**",
    "**/a",
    "a/**/b",
    "*/**",
  ],
  ...["a*/**", "a?", "[a]", "a:b", "a@b", "_a*", `${"a".repeat(50)}*`, "a".repeat(256), null, 1, {}, ["a"]],
];

describe("what is no access token is refused:", () => {
  it.each(["", "A", "é", "a/b", "a%2fb", "..", "*", "a".repeat(65), null, 5, ["a"]])("the name %j", async (name) => {
    await expectInvalid(await callApi("POST", "tokens", order({ name })), "name");
  });

  it.each(PATTERNS)("the pattern %j", async (pattern) => {
    await expectInvalid(await callApi("POST", "tokens", order({ repositories: ["a", pattern] })), "repositories.1");
  });

  it.each([
    ...[
      "",
      "0d",
      "0s",
      "90",
      "90 d",
      "-1d",
      "1.5h",
      "1y",
      "1w",
      "forever",
      "Never",
      "9999999999d",
      "36501d",
      "999999999d",
    ],
    ...["٣d", 90, null, { days: 1 }],
  ])("the life %j", async (expires) => {
    await expectInvalid(await callApi("POST", "tokens", order({ expires })), "expires");
  });

  it.each<[unknown, string]>([
    [[], "actions"],
    ["pull", "actions"],
    [null, "actions"],
    [["fly"], "actions.0"],
    [["pull", "*"], "actions.1"],
    [["Pull"], "actions.0"],
    [["pull,push"], "actions.0"],
    [[["pull"]], "actions.0"],
  ])("the actions %j", async (actions, path) => {
    await expectInvalid(await callApi("POST", "tokens", order({ actions })), path);
  });

  it.each<[string, object, string]>([
    ["no patterns", { repositories: [] }, "repositories"],
    ["a pattern that is not in a list", { repositories: "team/*" }, "repositories"],
    ["no name", { name: undefined }, "name"],
    ["no life", { expires: undefined }, "expires"],
    ["no actions", { actions: undefined }, "actions"],
    ["no repositories", { repositories: undefined }, "repositories"],
    ["a text of one's own", { token: "stw_x" }, "token"],
  ])("%s", async (_what, change, path) => {
    await expectInvalid(await callApi("POST", "tokens", order(change)), path);
  });

  it("thousands of wrong patterns, with a short answer", async () => {
    const response = await callApi("POST", "tokens", order({ repositories: Array(50_000).fill("") }));
    const text = await (await expectStatus(response, 400)).text();
    expect(text.length).toBeLessThan(10_000);
  });

  it.each(["tokens?page=2", "tokens?N=2"])("a parameter that nobody knows: %s", async (path) => {
    await expectInvalid(await callApi("GET", path), path.includes("page") ? "page" : "N");
    await expectInvalid(await callApi("POST", path, order()), path.includes("page") ? "page" : "N");
  });

  it("a parameter that is there twice", async () => {
    await expectInvalid(await callApi("GET", "tokens?n=1&n=2"), "n");
  });
});

it("the list of access tokens comes in pages, each once and in order", async () => {
  await expectPagesByName("tokens", "tokens", async (name) => await create({ name }));
});

it("the list of access tokens shows what rules let each do now, and when it was used, to the hour", async () => {
  const robot = await createToken("team/*", ["pull"]);
  await grant(`token:${robot.name}`, { "other/*": ["push"], "team/*": ["delete"] });
  expect((await listed(robot.name))!.lastUsedAt).toBeNull();
  await expectStatus(await sendAs(robot, "GET", "/v2/"), 200);
  const used = (await listed(robot.name))!;
  expect(Math.abs(Date.parse(used.lastUsedAt!) - Date.now())).toBeLessThan(60_000);
  expect(used.grants.toSorted((a, b) => (a.repository < b.repository ? -1 : 1))).toEqual([
    { repository: "other/*", actions: ["push"] },
    { repository: "team/*", actions: ["pull", "delete"] },
  ]);
  await expectStatus(await sendAs(robot, "GET", "/v2/"), 200);
  expect((await listed(robot.name))!.lastUsedAt).toBe(used.lastUsedAt);
});

describe("a revoked access token", () => {
  it("logs in no more, and takes its rules away", async () => {
    const repository = freshRepository();
    await pushImage(repository);
    const robot = await createToken(repository, ["pull"]);
    await expectStatus(await sendAs(robot, "GET", `/v2/${repository}/tags/list`), 200);
    await expectDone(await callApi("DELETE", `tokens/${robot.name}`));
    await expectError(await sendAs(robot, "GET", `/v2/${repository}/tags/list`), 401, "UNAUTHORIZED");
    expect(await listed(robot.name)).toBeUndefined();
    const another = await create({ name: robot.name, repositories: ["elsewhere"] });
    expect((await listed(robot.name))!.grants).toEqual([{ repository: "elsewhere", actions: ["pull"] }]);
    await expectError(await sendAs(personOf(another), "GET", `/v2/${repository}/tags/list`), 403, "DENIED");
    await expectError(await sendAs(robot, "GET", "/v2/"), 401, "UNAUTHORIZED");
  });

  it("is there no more", async () => {
    const name = freshName();
    await expectRefusal(await callApi("DELETE", `tokens/${name}`), 404, "NOT_FOUND", name);
    expect(await eventsAbout(name)).toEqual([]);
    await expectError(await callApi("DELETE", "tokens/A"), 400, "NAME_INVALID");
  });
});

it("the text of an access token appears once and nowhere else", async () => {
  const logs = captureLogs();
  const made = await create({ repositories: ["secret/*"] });
  const [, , secret] = made.token.split("_");
  const wrong = `${made.token.slice(0, -1)}${made.token.endsWith("0") ? "1" : "0"}`;
  await sendAs(personOf(made), "GET", "/v2/");
  await sendAs(personOf({ ...made, token: wrong }), "GET", "/v2/");
  await sendAnonymously("GET", "/api/caller", { headers: { Authorization: `Bearer ${made.token}` } });
  const { results } = await env.DB.prepare("SELECT * FROM access_tokens WHERE name = ?1").bind(made.name).all();
  const text = [
    JSON.stringify(await listed(made.name)),
    JSON.stringify(await eventsAbout(made.name)),
    JSON.stringify(results),
    logs.join(),
    await (await send("DELETE", `/api/tokens/${made.name}`)).text(),
  ];
  for (const one of text) expect(one).not.toContain(secret);
  expect(text[0]).not.toMatch(/hash/i);
});
