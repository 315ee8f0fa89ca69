import { expect, it } from "vitest";
import { type TrustRuleInput, trustObjection } from "../../src/policy/trust.ts";

const rule: TrustRuleInput = {
  name: "github",
  issuer: "https://token.actions.githubusercontent.com",
  audience: "stowage",
  claims: { repository_owner: "octo-org" },
  repositories: ["${repository}/**"],
  actions: ["pull", "push"],
};

const rsa = { kty: "RSA", n: "AQAB", e: "AQAB", kid: "1", x5c: ["not needed"] };
const elliptic = { kty: "EC", crv: "P-256", x: "AQAB", y: "AQAB" };
const edwards = { kty: "OKP", crv: "Ed25519", x: "AQAB" };

const long = "a".repeat(256);

it.each<[string, Partial<TrustRuleInput>]>([
  ["GitHub's", {}],
  ["an issuer with a slash at its end", { issuer: "https://gitlab.example.org/" }],
  ["an issuer with a port and a path", { issuer: "https://host.example:8443/realms/a%20b/@c" }],
  ["an issuer on this machine", { issuer: "http://127.0.0.1:8080" }],
  ["an issuer on this machine by IPv6", { issuer: "http://[::1]:8080/x" }],
  ["an issuer on this machine by name", { issuer: "http://localhost" }],
  ["wildcards beside text", { claims: { sub: "repo:octo-org/*a*", ref: "**x" } }],
  ["a branch alone at an issuer of one's own", { issuer: "https://git.example.org", claims: { ref: "main" } }],
  ["several repositories", { repositories: ["a", "b/${sub}"] }],
  ["keys of its own", { keys: { keys: [rsa, elliptic, edwards] } }],
])("takes a rule with %s", (_what, change) => {
  expect(trustObjection({ ...rule, ...change })).toBeUndefined();
});

it.each<[string, Partial<TrustRuleInput>, string]>([
  ["no name", { name: "" }, "name is invalid"],
  ["a name with a space", { name: "git hub" }, "name is invalid"],
  ["no audience", { audience: "" }, "audience is missing"],
  ["a long audience", { audience: long }, "audience is missing or longer"],
  ["no condition", { claims: {} }, "claims are missing: without a condition"],
  ["a condition that anything fulfils", { claims: { sub: "*" } }, "claim sub needs a pattern with at least one"],
  ["a condition of several wildcards", { claims: { sub: "***" } }, "claim sub needs"],
  ["an empty condition", { claims: { sub: "" } }, "claim sub needs"],
  ["an open condition among others", { claims: { repository_owner: "octo-org", ref: "*" } }, "claim ref needs"],
  ["a condition on no claim", { claims: { "": "x" } }, "a claim's name is missing"],
  ["a long claim name", { claims: { [long]: "x" } }, "a claim's name is missing or longer"],
  ["a long condition", { claims: { sub: long } }, "claim sub has a pattern longer than 255 characters"],
  [
    "many conditions",
    { claims: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [index, "x"])) },
    "more than 32",
  ],
  ["a branch alone at GitHub", { claims: { ref: "refs/heads/main" } }, "would trust everybody"],
  ["any owner at GitHub", { claims: { sub: "repo:*" } }, "would trust everybody"],
  ["any owner and repository at GitHub", { claims: { repository: "*/*" } }, "would trust everybody"],
  ["any number that holds a one", { claims: { repository_owner_id: "*1*" } }, "would trust everybody"],
  ["a workflow that anybody may call", { claims: { job_workflow_ref: "octo-org/x/y@z" } }, "would trust everybody"],
  ["a branch alone at GitLab", { issuer: "https://gitlab.com", claims: { ref: "main" } }, "would trust everybody"],
  ["no repository", { repositories: [] }, "repositories are missing"],
  ["an invalid repository", { repositories: ["a", "B"] }, "repository pattern B is invalid"],
  ["many repositories", { repositories: Array.from({ length: 33 }, () => "a") }, "repositories are more than 32"],
  ["no action", { actions: [] }, "actions are missing or unknown: use pull, push, delete"],
  ["an unknown action", { actions: ["pull", "admin"] }, "actions are missing or unknown"],
])("refuses a rule with %s", (_what, change, message) => {
  expect(trustObjection({ ...rule, ...change })).toContain(message);
});

it.each([
  ...["", "github.com", "//a.example", "https://", "https:///a", "https:a.example", "https://a.example:99999"],
  ...["http://a.example", "http://127.0.0.2", "http://localhost.a.example", "http://127.0.0.1.a.example"],
  ...["ftp://a.example", "javascript:alert(1)", "HTTPS://a.example", "https://ä.example"],
  ...["https://a.example?", "https://a.example?x=1", "https://a.example#", "https://a.example/#x"],
  ...["https://u@a.example", "https://@a.example", "https://u:p@a.example", "http://user@127.0.0.1"],
  ...[" https://a.example", "https://a.example\n", "https://a.ex\tample", "https:\\\\a.example"],
  ...["https://a.example\\@b.example", `https://a.example/${long}`],
])("refuses the issuer %j", (issuer) => {
  expect(trustObjection({ ...rule, issuer })).toContain("issuer is invalid");
});

it.each<[string, unknown]>([
  ["null", null],
  ["a text", ""],
  ["a list", [rsa]],
  ["no key", { keys: [] }],
  ["keys that are no list", { keys: {} }],
  ["keys that are nothing", { keys: [null] }],
  ["a symmetric key", { keys: [{ kty: "oct", k: "c2VjcmV0" }] }],
  ["a private key", { keys: [rsa, { ...rsa, d: "c2VjcmV0" }] }],
  ["half a key", { keys: [rsa, { kty: "RSA", n: "AQAB" }] }],
  ["101 keys", { keys: Array.from({ length: 101 }, () => rsa) }],
])("refuses %s as keys, and does not show them", (_what, keys) => {
  const objection = trustObjection({ ...rule, keys });
  expect(objection).toContain("keys are invalid: use a JSON Web Key Set");
  expect(objection).not.toContain("c2VjcmV0");
});
