import { describe, expect, test } from "vitest";
import { ApiError } from "../../web/api.ts";
import {
  accountCommand,
  accountRequest,
  FIRST_ACCOUNT,
  FIRST_GRANT,
  FIRST_TOKEN,
  grantCommand,
  grantRequest,
  passwordRequest,
  tokenCommand,
  tokenRequest,
  trustCommand,
  type TrustDraft,
  trustRequest,
  withAction,
} from "../../web/operate/access-drafts.ts";
import { draftFrom, PRESETS, snippetsFor } from "../../web/operate/trust-presets.ts";

const detailOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error instanceof ApiError ? error.detail : error;
  }
  return undefined;
};

test("a token is for each pattern, however they are written one after the other", () => {
  const draft = { ...FIRST_TOKEN, name: " ci ", repositories: "team/*, app-*\n  web" };
  expect(tokenRequest(draft)).toEqual({
    ...{ name: "ci", repositories: ["team/*", "app-*", "web"], actions: ["pull"], expires: "90d" },
  });
  expect(tokenCommand(draft).join(" ")).toBe(
    "token create ci --repository team/* app-* web --actions pull --expires 90d",
  );
});

test("an empty form shows a command with examples in its holes, and sends them to nobody", () => {
  expect(tokenCommand({ ...FIRST_TOKEN, actions: [] }).join(" ")).toBe(
    "token create NAME --repository team/* --actions pull --expires 90d",
  );
  expect(grantCommand(FIRST_GRANT).join(" ")).toBe("policy grant team/* --to account:NAME --actions pull");
  expect(accountCommand({ ...FIRST_ACCOUNT, role: "admin" })).toEqual(["account", "add", "NAME", "--admin"]);
  expect(tokenRequest(FIRST_TOKEN).repositories).toEqual([]);
  expect(grantRequest(FIRST_GRANT)).toEqual({ subject: "", repository: "", actions: ["pull"] });
});

test("push and delete come with pull, and go by themselves", () => {
  expect(withAction([], "push", true)).toEqual(["pull", "push"]);
  expect(withAction(["pull", "push"], "delete", true)).toEqual(["pull", "push", "delete"]);
  expect(withAction(["pull", "push"], "push", false)).toEqual(["pull"]);
  expect(withAction(["pull", "push"], "pull", false)).toEqual(["push"]);
});

test("a password that nobody typed is left to the registry", () => {
  expect(accountRequest({ ...FIRST_ACCOUNT, name: "alice" })).toEqual({ name: "alice", role: "member" });
  expect(passwordRequest("")).toEqual({});
  expect(passwordRequest("a better one", "the one before")).toEqual({
    ...{ password: "a better one", currentPassword: "the one before" },
  });
});

const DRAFT: TrustDraft = {
  ...{ name: "main", issuer: "https://gitlab.com", audience: "registry.example.org", keys: "" },
  ...{ claims: "project_path = acme/web\n\nref=refs/heads/a=b", repositories: "acme/web", actions: ["pull"] },
};

describe("a trust rule", () => {
  test("has a condition by line, whose pattern may hold what parts them", () => {
    expect(trustRequest(DRAFT)).toEqual({
      ...{ name: "main", issuer: "https://gitlab.com", audience: "registry.example.org", actions: ["pull"] },
      ...{ claims: { project_path: "acme/web", ref: "refs/heads/a=b" }, repositories: ["acme/web"] },
    });
    expect(trustCommand(DRAFT)).toContain("ref=refs/heads/a=b");
  });

  test.each<[string, Partial<TrustDraft>, string]>([
    ["a line that is no condition", { claims: "main" }, "claims"],
    ["a condition without a name", { claims: "=main" }, "claims"],
    ["a claim that is there twice", { claims: "ref=a\nref=b" }, "claims"],
    ["keys that are no JSON", { keys: "-----BEGIN" }, "keys"],
  ])("with %s is not sent: the field says why", (_what, change, path) => {
    expect(detailOf(() => trustRequest({ ...DRAFT, ...change }))).toMatchObject([{ path }]);
  });

  test("keeps claims whose names mean something to JavaScript, for the registry to refuse", () => {
    const { claims } = trustRequest({ ...DRAFT, claims: "__proto__=a" });
    expect(JSON.stringify(claims)).toBe('{"__proto__":"a"}');
  });

  test.each(PRESETS.map((preset) => [preset.id, preset] as const))(
    "of %s begins with conditions that can be sent",
    (_id, preset) => {
      const request = trustRequest(draftFrom(preset, "registry.example.org", "ci"));
      expect(request.audience).toBe("registry.example.org");
      expect(Object.keys(request.claims).length === 0).toBe(preset.id === "other");
    },
  );
});

describe("the snippet for a job", () => {
  const host = "registry.example.org";
  const snippet = (rule: Partial<TrustDraft> & { claims?: never; conditions?: Record<string, string> }) =>
    snippetsFor({ issuer: "https://issuer.example", audience: host, claims: rule.conditions ?? {}, ...rule }, host)
      .map(({ text }) => text)
      .join("\n");

  test("asks GitHub for a token of the audience, whatever is in its name", () => {
    const text = snippet({ issuer: "https://token.actions.githubusercontent.com", audience: "a b&c=d" });
    expect(text).toContain("&audience=a%20b%26c%3Dd");
    expect(text).toContain(`docker login ${host} --username oidc --password-stdin`);
  });

  test("lets GitLab make one, at gitlab.com and anywhere else", () => {
    expect(snippet({ issuer: "https://gitlab.com" })).toContain(`aud: "${host}"`);
    expect(snippet({ conditions: { project_path: "acme/web" } })).toContain("id_tokens");
  });

  test("has a cluster project one", () => {
    expect(snippet({ conditions: { "kubernetes.io.namespace": "ci" } })).toContain("serviceAccountToken");
  });

  test("reads a file for any other issuer", () => {
    expect(snippet({ conditions: { sub: "job" } })).toBe(
      `docker login ${host} --username oidc --password-stdin < TOKEN_FILE`,
    );
  });
});
