import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { answerOf, callApi, eventsAbout, expectInvalid, expectRefusal, freshName, readPages } from "../support/api.ts";
import { pushImage } from "../support/images.ts";
import { addAccount, type Person, sendAs } from "../support/people.ts";
import { expectError, expectStatus, freshRepository } from "../support/registry.ts";

interface Rule {
  readonly subject: string;
  readonly repository: string;
  readonly actions: string[];
  readonly createdAt: string;
  readonly createdBy: string;
}

const subjectOf = ({ name }: Person) => `account:${name}`;

async function grantRule(subject: string, repository: string, ...actions: string[]): Promise<Rule> {
  return await answerOf(await callApi("POST", "policy/rules", { subject, repository, actions }));
}

const query = (parameters: Readonly<Record<string, string>>) => new URLSearchParams(parameters).toString();

async function revoke(parameters: Readonly<Record<string, string>>): Promise<Response> {
  return await callApi("DELETE", `policy/rules?${query(parameters)}`);
}

async function rulesOf(parameters: Readonly<Record<string, string>>): Promise<[string, string, string][]> {
  const { rules } = await answerOf<{ rules: Rule[] }>(await callApi("GET", `policy/rules?${query(parameters)}`));
  return rules.map(({ subject, repository, actions }) => [subject, repository, actions.join()]);
}

describe("a grant", () => {
  it("is a rule, and joins what was granted before", async () => {
    const person = await addAccount();
    const subject = subjectOf(person);
    const rule = await grantRule(subject, "team/*", "push");
    expect(rule).toEqual({
      ...{ subject, repository: "team/*", actions: ["push"], createdBy: "account:admin" },
      createdAt: expect.any(String) as string,
    });
    const joined = { ...rule, actions: ["pull", "push"] };
    expect(await grantRule(subject, "team/*", "pull")).toEqual(joined);
    expect(await grantRule(subject, "team/*", "pull", "push")).toEqual(joined);
    expect(await rulesOf({ subject })).toEqual([[subject, "team/*", "pull,push"]]);
  });

  it("has its effect at once on who logs in for each request", async () => {
    const repository = freshRepository();
    await pushImage(repository);
    const person = await addAccount();
    const path = `/v2/${repository}/tags/list`;
    await expectError(await sendAs(person, "GET", path), 403, "DENIED");
    await grantRule(subjectOf(person), repository, "pull");
    await expectStatus(await sendAs(person, "GET", path), 200);
    expect((await revoke({ subject: subjectOf(person), repository })).status).toBe(204);
    await expectError(await sendAs(person, "GET", path), 403, "DENIED");
  });

  it.each([
    ["account", "account add"],
    ["token", "token create"],
    ["oidc", "trust add"],
  ])("to nobody's %s is refused, with what to do first", async (kind, advice) => {
    const name = freshName();
    const body = { subject: `${kind}:${name}`, repository: "a", actions: ["pull"] };
    await expectRefusal(
      await callApi("POST", "policy/rules", body),
      404,
      "NOT_FOUND",
      name,
      `stowage ${advice} ${name}`,
    );
    expect(await rulesOf({ subject: `${kind}:${name}` })).toEqual([]);
    expect(await eventsAbout(name)).toEqual([]);
  });

  it.each(["token", "oidc"])("to the %s that has an account's name is refused", async (kind) => {
    const { name } = await addAccount();
    const body = { subject: `${kind}:${name}`, repository: "a", actions: ["pull"] };
    await expectRefusal(await callApi("POST", "policy/rules", body), 404, "NOT_FOUND", name);
  });

  it("to the bootstrap account says that it needs none", async () => {
    const body = { subject: "account:admin", repository: "a", actions: ["pull"] };
    await expectRefusal(await callApi("POST", "policy/rules", body), 409, "CONFLICT", "may do everything");
  });

  it("to anyone is one to pull", async () => {
    const repository = freshRepository();
    expect(await grantRule("anyone", repository, "pull")).toMatchObject({ subject: "anyone", actions: ["pull"] });
    for (const actions of [["push"], ["pull", "delete"]]) {
      const body = { subject: "anyone", repository, actions };
      await expectRefusal(
        await callApi("POST", "policy/rules", body),
        400,
        "REQUEST_INVALID",
        "anyone may be granted pull",
      );
    }
    expect(await rulesOf({ subject: "anyone", repository })).toContainEqual(["anyone", repository, "pull"]);
  });
});

describe("rules with wildcards", () => {
  const MAX = 200;
  async function fill(subject: string, count: number): Promise<void> {
    await env.DB.prepare(
      `WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?2)
       INSERT INTO policy_rules (subject, repository, actions, created_at, created_by)
       SELECT ?1, 'filled/r' || value || '-*', '["pull"]', 0, 'test' FROM n`,
    )
      .bind(subject, count)
      .run();
  }

  it("are at most 200 for one subject; others, and those that are there, are granted all the same", async () => {
    const person = await addAccount();
    const subject = subjectOf(person);
    await fill(subject, MAX - 1);
    await grantRule(subject, "last/*", "pull");
    const body = { subject, repository: "more/*", actions: ["pull"] };
    await expectRefusal(await callApi("POST", "policy/rules", body), 409, "CONFLICT", String(MAX), "join some");
    await grantRule(subject, "more/name", "pull");
    await grantRule(subject, "last/*", "push");
    expect((await eventsAbout(person.name)).filter(({ repository }) => repository === "more/*")).toEqual([]);
  });

  it("are at most 200 for anyone too, by whichever way", async () => {
    const { results } = await env.DB.prepare(
      "SELECT 1 FROM policy_rules WHERE subject = 'anyone' AND is_wildcard = 1",
    ).all();
    const repository = `${freshRepository()}/*`;
    try {
      await fill("anyone", MAX - results.length);
      const body = { subject: "anyone", repository, actions: ["pull"] };
      await expectRefusal(await callApi("POST", "policy/rules", body), 409, "CONFLICT", String(MAX));
      const settings = { visibility: "public", immutableTags: true };
      const response = await callApi("PATCH", `repositories/${repository}`, settings);
      await expectRefusal(response, 409, "CONFLICT", String(MAX), "wildcards");
      const kept = await env.DB.prepare("SELECT 1 FROM immutable_tags WHERE repository = ?1").bind(repository).all();
      expect(kept.results).toEqual([]);
      expect(await eventsAbout(repository)).toEqual([]);
      await answerOf(await callApi("PATCH", `repositories/${freshRepository()}`, { visibility: "public" }));
    } finally {
      await env.DB.prepare("DELETE FROM policy_rules WHERE subject = 'anyone' AND repository LIKE 'filled/%'").run();
    }
  });
});

describe("a revocation", () => {
  it("leaves the other actions, and goes with the last", async () => {
    const person = await addAccount({ "team/*": ["pull", "push", "delete"], "team/web": ["pull"] });
    const target = { subject: subjectOf(person), repository: "team/*" };
    const left = await answerOf<Rule>(await revoke({ ...target, actions: "push,delete" }));
    expect(left).toMatchObject({ ...target, actions: ["pull"] });
    expect(await answerOf<Rule>(await revoke({ ...target, actions: "push" }))).toMatchObject({ actions: ["pull"] });
    expect((await revoke({ ...target, actions: "pull" })).status).toBe(204);
    expect(await rulesOf({ subject: target.subject })).toEqual([[target.subject, "team/web", "pull"]]);
    await expectRefusal(await revoke(target), 404, "NOT_FOUND", "exactly team/*");
  });

  it("is of exactly one pattern", async () => {
    const person = await addAccount({ "team/*": ["pull"] });
    const subject = subjectOf(person);
    for (const repository of ["team/web", "**", "team/**", "team"]) {
      await expectRefusal(await revoke({ subject, repository }), 404, "NOT_FOUND", repository);
    }
    expect(await rulesOf({ subject })).toHaveLength(1);
    expect((await eventsAbout(person.name)).filter(({ action }) => action === "policy.revoke")).toEqual([]);
  });

  it.each([
    ["subject=account:a", "repository"],
    ["repository=a", "subject"],
    ["subject=alice&repository=a", "subject"],
    ["subject=account:A&repository=a", "subject"],
    ["subject=account:a&repository=A", "repository"],
    ["subject=account:a&repository=a/../b", "repository"],
    ["subject=account:a&repository=a&actions=", "actions"],
    ["subject=account:a&repository=a&actions=pull,", "actions"],
    ["subject=account:a&repository=a&actions=*", "actions"],
    ["subject=account:a&repository=a&actions=pull%20push", "actions"],
    ["subject=account:a&repository=a&action=push", "action"],
    ["subject=account:a&repository=a&actions=pull&actions=push", "actions"],
  ])("of ?%s is refused", async (parameters, path) => {
    await expectInvalid(await callApi("DELETE", `policy/rules?${parameters}`), path);
  });
});

const SUBJECTS: unknown[] = [
  ...["", "Anyone", "*", "alice", "account", "account:", "account:*", "account:A", "account:a/b", "account:é", ":a"],
  ...["user:a", "token:..", "token:a:b", "oidc: a", `account:${"a".repeat(65)}`, "account:a ", null, 1, ["anyone"]],
];
const PATTERNS: unknown[] = [
  ...[
    "",
    "A",
    "a/",
    "a//b",
    "..",
    "a/../b",
    "a%2fb",
    "%2f",
    "é",
    "a**",
    "**/a",
    "*/**",
    "a/**/**",
    `${"a/".repeat(25)}*`,
  ],
  ...["x".repeat(256), null, 7, {}],
];

describe("what is no rule is refused:", () => {
  const rule = (change: object) => ({ subject: "anyone", repository: "a", actions: ["pull"], ...change });

  it.each(SUBJECTS)("the subject %j", async (subject) => {
    await expectInvalid(await callApi("POST", "policy/rules", rule({ subject })), "subject");
  });

  it.each(PATTERNS)("the pattern %j", async (repository) => {
    await expectInvalid(await callApi("POST", "policy/rules", rule({ repository })), "repository");
  });

  it.each<[unknown, string]>([
    [[], "actions"],
    ["pull", "actions"],
    [["admin"], "actions.0"],
  ])("the actions %j", async (actions, path) => {
    await expectInvalid(await callApi("POST", "policy/rules", rule({ actions })), path);
  });

  it.each([
    ["subject", "subject=nobody"],
    ["repository", "repository=team/*"],
    ["repository", "repository=A"],
    ["subjects", "subjects=anyone"],
  ])("a list by a wrong %s: %s", async (path, parameters) => {
    await expectInvalid(await callApi("GET", `policy/rules?${parameters}`), path);
  });

  it.each([
    ["repository", "subject=anyone"],
    ["subject", "repository=a"],
    ["repository", "subject=anyone&repository=team/*"],
    ["repository", "subject=anyone&repository=**"],
    ["subject", "subject=Bob&repository=a"],
    ["verbose", "subject=anyone&repository=a&verbose=1"],
  ])("a check with a wrong %s: %s", async (path, parameters) => {
    await expectInvalid(await callApi("GET", `policy/check?${parameters}`), path);
  });
});

describe("the list of rules", () => {
  it("is that of a subject, or of who may do something with a repository", async () => {
    const repository = freshRepository();
    const [one, other] = [await addAccount(), await addAccount()];
    await grantRule(subjectOf(one), repository, "pull");
    await grantRule(subjectOf(one), `${repository}/**`, "push");
    await grantRule(subjectOf(other), "test/*", "pull");
    expect(await rulesOf({ subject: subjectOf(one) })).toHaveLength(2);
    const names = [subjectOf(one), subjectOf(other)];
    const of = async (name: string) =>
      (await rulesOf({ repository: name })).filter(([subject]) => names.includes(subject));
    expect(await of(repository)).toEqual([
      [subjectOf(one), repository, "pull"],
      [subjectOf(other), "test/*", "pull"],
    ]);
    expect(await of(`${repository}/a/b`)).toEqual([[subjectOf(one), `${repository}/**`, "push"]]);
    expect(await rulesOf({ subject: subjectOf(one), repository })).toEqual([[subjectOf(one), repository, "pull"]]);
    expect(await rulesOf({ subject: `account:${freshName()}` })).toEqual([]);
  });

  it.each([1, 2, 3])("comes in pages of %i, each rule once", async (n) => {
    const person = await addAccount();
    const subject = subjectOf(person);
    const patterns = ["**", "*", "a", "a-*", "a.b/**", "b/*/c"];
    for (const pattern of patterns) await grantRule(subject, pattern, "pull");
    const pages = await readPages<Rule>(`policy/rules?n=${n}&${query({ subject })}`, "rules");
    expect(pages.map((page) => page.length)).toEqual(Array(6 / n).fill(n));
    expect(pages.flat().map(({ repository }) => repository)).toEqual(patterns.toSorted());
    const all = (await readPages<Rule>(`policy/rules?n=${n * 40}`, "rules")).flat();
    const keys = all.map((rule) => `${rule.subject} ${rule.repository}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.filter((key) => key.startsWith(`${subject} `))).toHaveLength(patterns.length);
  });
});
