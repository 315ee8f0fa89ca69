import { describe, expect, it } from "vitest";
import { answerOf, callApi, expectRefusal, freshName } from "../support/api.ts";
import { addAccount, createToken, grant } from "../support/people.ts";
import { freshRepository } from "../support/registry.ts";

interface Verdict {
  readonly actions: string[];
  readonly rules: { readonly subject: string; readonly repository: string; readonly actions: string[] }[];
}

async function ask(subject: string, repository: string): Promise<Response> {
  return await callApi("GET", `policy/check?${new URLSearchParams({ subject, repository }).toString()}`);
}

const check = async (subject: string, repository: string) => await answerOf<Verdict>(await ask(subject, repository));

describe("a check", () => {
  it("says what a subject may do, and by which rules, anyone's among them, each once", async () => {
    const repository = freshRepository();
    const person = await addAccount({ [repository]: ["push"], "test/*": ["pull", "push"], "other/*": ["delete"] });
    await grant("anyone", { [repository]: ["pull"] });
    const subject = `account:${person.name}`;
    const rules = [
      { subject: "anyone", repository, actions: ["pull"] },
      { subject, repository, actions: ["push"] },
      { subject, repository: "test/*", actions: ["pull", "push"] },
    ];
    const verdict = await check(subject, repository);
    expect(verdict).toMatchObject({ subject, repository, actions: ["pull", "push"] });
    const found = verdict.rules;
    expect(found).toHaveLength(rules.length);
    expect(found).toEqual(expect.arrayContaining(rules));
    const anyone = { subject: "anyone", repository };
    expect(await check("anyone", repository)).toEqual({ ...anyone, actions: ["pull"], rules: [rules[0]] });
    expect(await check(subject, `${repository}/x`)).toEqual({
      subject,
      repository: `${repository}/x`,
      actions: [],
      rules: [],
    });
  });

  it("of a repository that is not there yet is as good", async () => {
    const robot = await createToken("future/**", ["pull", "delete"]);
    const verdict = await check(`token:${robot.name}`, "future/a/b");
    expect(verdict).toMatchObject({ actions: ["pull", "delete"], rules: [{ repository: "future/**" }] });
  });

  it("of a trust rule's identities says what all of them may do, and what the rule grants by their claims", async () => {
    const prefix = freshRepository();
    const name = freshName();
    const repositories = [`${prefix}/app`, `${prefix}/\${repository}`, "elsewhere/**", "elsewhere/${repository}/**"];
    const trust = {
      ...{ name, issuer: `https://${name}.example`, audience: "stowage", claims: { sub: "a*" } },
      ...{ repositories, actions: ["push"] },
    };
    await answerOf(await callApi("POST", "trust", trust), 201);
    const subject = `oidc:${name}`;
    await grant(subject, { [`${prefix}/*`]: ["pull"] });
    const rule = { subject, repository: `${prefix}/*`, actions: ["pull"] };
    const byClaims = { repository: repositories[1], actions: ["push"] };
    expect(await check(subject, `${prefix}/app`)).toEqual({
      ...{ subject, repository: `${prefix}/app`, actions: ["pull", "push"], rules: [rule] },
      trust: [{ repository: repositories[0], actions: ["push"] }, byClaims],
    });
    expect(await check(subject, `${prefix}/a/b`)).toMatchObject({ actions: [], rules: [], trust: [byClaims] });
    expect(await check(subject, "other")).toMatchObject({ actions: [], rules: [], trust: [] });
  });

  it("of an admin says everything, by no rule", async () => {
    const person = await addAccount({}, "admin");
    for (const subject of ["account:admin", `account:${person.name}`]) {
      expect(await check(subject, "a")).toMatchObject({ actions: ["pull", "push", "delete"], rules: [] });
    }
  });

  it.each(["account", "token", "oidc"])("of nobody's %s is refused", async (kind) => {
    const subject = `${kind}:${freshName()}`;
    await expectRefusal(await ask(subject, "a"), 404, "NOT_FOUND", subject);
  });
});
