import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeFolder } from "../support/server.ts";
import { type Case, LIFECYCLE_CASES } from "./support/lifecycle-cases.ts";
import { CHECK, HUB } from "./support/mirror.ts";
import { run, runAt } from "./support/run.ts";
import { startStandIn } from "./support/stand-in.ts";

const MADE = { createdAt: "2026-06-12T12:00:00Z", createdBy: "account:admin" };
const ALICE = { name: "alice", role: "member", ...MADE };
const CI = {
  ...{ name: "ci", id: "0123456789abcdef", grants: [{ repository: "team/*", actions: ["pull", "push"] }], ...MADE },
  ...{ expiresAt: "2026-09-13T12:00:00Z", lastUsedAt: null },
};
const RULE = { subject: "account:alice", repository: "team/*", actions: ["pull", "push"], ...MADE };
const TRUST = {
  ...{ name: "main", issuer: "https://gitlab.com", audience: "a", claims: { ref: "refs/heads/*" }, ...MADE },
  ...{ repositories: ["acme/web"], actions: ["push"], hasKeys: false },
};
const WEB = {
  ...{
    name: "team/web",
    visibility: "private",
    description: "The shop",
    stars: 12,
    official: true,
    tags: 2,
    size: 75_500_000,
    uniqueSize: 500_000,
  },
  ...{ pushedAt: MADE.createdAt, pulledAt: null, pulls: 7, createdAt: MADE.createdAt },
};
const SETTINGS = { repository: "team/*", visibility: "public", immutableTags: true, exceptTags: ["dev-*", "latest"] };
const EVENT = {
  ...{ id: "1", occurredAt: MADE.createdAt, actor: "account:alice", credential: "password", action: "tag.move" },
  ...{ repository: "team/web", tag: "1", digest: "sha256:ab", detail: { from: "sha256:cd" } },
};

const POLICY = "/api/policy/rules";
const CASES: Case[] = [
  ["account list", "GET /api/accounts", undefined, { json: { accounts: [ALICE] } }],
  ["account add alice", "POST /api/accounts", { name: "alice", role: "member" }, { status: 201, json: ALICE }],
  ["account add a --admin", "POST /api/accounts", { name: "a", role: "admin" }, { status: 201, json: ALICE }],
  ["account password alice", "PUT /api/accounts/alice/password", {}, { json: { name: "alice", password: "made" } }],
  ["account remove alice --yes", "DELETE /api/accounts/alice", undefined, { status: 204 }, null],
  ["account remove a/b --yes", "DELETE /api/accounts/a%2Fb", undefined, { status: 204 }, null],
  ["token list", "GET /api/tokens", undefined, { json: { tokens: [CI] } }],
  [
    "token create ci --repository team/* app-* --repository x --actions pull,push",
    "POST /api/tokens",
    { name: "ci", repositories: ["team/*", "app-*", "x"], actions: ["pull", "push"], expires: "90d" },
    { status: 201, json: { ...CI, token: "stw_1" } },
  ],
  [
    "token create ci --repository x --actions pull --expires never",
    "POST /api/tokens",
    { name: "ci", repositories: ["x"], actions: ["pull"], expires: "never" },
    { status: 201, json: { ...CI, token: "stw_1", expiresAt: null } },
  ],
  ["token revoke ci --yes", "DELETE /api/tokens/ci", undefined, { status: 204 }, null],
  ["policy list", `GET ${POLICY}`, undefined, { json: { rules: [RULE] } }],
  [
    "policy list --subject account:alice --repository team/web",
    `GET ${POLICY}?subject=account%3Aalice&repository=team%2Fweb`,
    undefined,
    { json: { rules: [RULE] } },
  ],
  [
    "policy grant team/* --to account:alice --actions pull,push",
    `POST ${POLICY}`,
    { subject: "account:alice", repository: "team/*", actions: ["pull", "push"] },
    { json: RULE },
  ],
  [
    "policy revoke team/* --from account:alice --yes",
    `DELETE ${POLICY}?subject=account%3Aalice&repository=team%2F*`,
    undefined,
    { status: 204 },
    null,
  ],
  [
    "policy revoke team/* --from anyone --actions push,delete --yes",
    `DELETE ${POLICY}?subject=anyone&repository=team%2F*&actions=push%2Cdelete`,
    undefined,
    { json: RULE },
  ],
  [
    "policy check account:alice team/web",
    "GET /api/policy/check?subject=account%3Aalice&repository=team%2Fweb",
    undefined,
    { json: { subject: "account:alice", repository: "team/web", actions: ["pull"], rules: [RULE] } },
  ],
  [
    "policy check oidc:main team/web",
    "GET /api/policy/check?subject=oidc%3Amain&repository=team%2Fweb",
    undefined,
    {
      json: {
        ...{ subject: "oidc:main", repository: "team/web", actions: [], rules: [] },
        trust: [{ repository: "team/${repository}", actions: ["push"] }],
      },
    },
  ],
  ["trust list", "GET /api/trust", undefined, { json: { rules: [TRUST] } }],
  [
    "trust add main --issuer gitlab --audience a --claim ref=refs/heads/* sub=x=y --repository acme/web --actions push",
    "POST /api/trust",
    {
      ...{ name: "main", issuer: "https://gitlab.com", audience: "a", claims: { ref: "refs/heads/*", sub: "x=y" } },
      ...{ repositories: ["acme/web"], actions: ["push"] },
    },
    { status: 201, json: TRUST },
  ],
  ["trust remove main --yes", "DELETE /api/trust/main", undefined, { status: 204 }, null],
  ["repository list", "GET /api/repositories", undefined, { json: { repositories: [WEB] } }],
  [
    "repository show team/web",
    "GET /api/repositories/team/web",
    undefined,
    {
      json: {
        ...{ ...WEB, manifests: 3, actions: ["pull"], hasReadme: true },
        ...{ immutableTags: [{ repository: "**", except: [] }], expiringTags: [{ repository: "team/*" }] },
      },
    },
  ],
  [
    "repository set team/* --visibility public --immutable-tags on --except-tags dev-*,latest",
    "PATCH /api/repositories/team/*",
    { visibility: "public", immutableTags: true, exceptTags: ["dev-*", "latest"] },
    { json: SETTINGS },
  ],
  [
    "repository set team/** --immutable-tags off",
    "PATCH /api/repositories/team/**",
    { immutableTags: false },
    { json: { ...SETTINGS, immutableTags: false, exceptTags: [] } },
  ],
  [
    "repository set team/web --description Shop",
    "PATCH /api/repositories/team/web",
    { description: "Shop" },
    { json: { repository: "team/web", description: "Shop" } },
  ],
  [
    "repository set team/web --stars 0 --official on",
    "PATCH /api/repositories/team/web",
    { stars: 0, official: true },
    { json: { repository: "team/web", stars: 0, official: true } },
  ],
  ["repository delete team/web --yes", "DELETE /api/repositories/team/web", undefined, { status: 204 }, null],
  ["audit", "GET /api/audit?n=50", undefined, { json: { events: [EVENT] } }],
  [
    "audit --repository team/web --actor account:alice --action tag.move --since 7d --limit 5",
    "GET /api/audit?repository=team%2Fweb&actor=account%3Aalice&action=tag.move&since=2026-06-08T12%3A00%3A00.000Z&n=5",
    undefined,
    { json: { events: [EVENT] } },
  ],
  ["mirror list", "GET /api/mirror", undefined, { json: { upstreams: [HUB] } }],
  ["mirror check docker.io", "POST /api/mirror/docker.io/check", undefined, { json: CHECK }],
  [
    "mirror check docker.io --image library/nginx:latest",
    "POST /api/mirror/docker.io/check?image=library%2Fnginx%3Alatest",
    undefined,
    { json: { ...CHECK, digest: "sha256:ab" } },
  ],
  ...LIFECYCLE_CASES,
];

describe("a command is one request, and --json its answer", () => {
  test.each(CASES)("stowage %s", async (command, request, body, answer, json = answer.json) => {
    const registry = await startStandIn({ [request]: answer });
    const { code, stdout, stderr } = await runAt(registry, [...command.split(" "), "--json"]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual(json);
    expect(code).toBe(0);
    expect(registry.calls.map(({ line }) => line)).toEqual([request]);
    const [call] = registry.calls;
    expect(call!.body === "" ? undefined : JSON.parse(call!.body)).toEqual(body);
  });
});

test.each(CASES)("silent in a pipe but for its result: stowage %s", async (command, request, _, answer) => {
  const registry = await startStandIn({ [request]: answer });
  const { code, stdout, stderr } = await runAt(registry, command.split(" "));
  expect(code).toBe(0);
  // The explanation of what is shown this once is the exception.
  if (stderr !== "") expect(stderr).toMatch(/^The .* (it|It) is not shown again\.\n$/);
  expect(stdout).not.toContain("\u001b");
  expect(stdout).not.toMatch(/ $/m);
  expect(stdout).not.toContain("undefined");
});

test("--jwks sends the keys of a file", async () => {
  const file = join(makeFolder(), "keys.json");
  const keys = { keys: [{ kty: "EC", kid: "1" }] };
  writeFileSync(file, JSON.stringify(keys));
  const registry = await startStandIn({ "POST /api/trust": { json: TRUST } });
  const command =
    "trust add main --issuer https://i.example.org --audience a --claim b=c --repository r --actions pull";
  expect(await runAt(registry, [...command.split(" "), "--jwks", file])).toMatchObject({ code: 0 });
  expect(JSON.parse(registry.calls[0]!.body)).toMatchObject({ issuer: "https://i.example.org", keys });
});

test.each<[string, string[], string, object]>([
  ["of a file", ["--readme", "FILE"], "# Über\n", { hasReadme: true }],
  ["from stdin", ["--readme", "-"], "# Über\n", { hasReadme: true }],
  ["that is none, and takes away what was there", ["--readme", ""], "", { hasReadme: false }],
])("--readme sends a text %s", async (_, options, readme, answer) => {
  const file = join(makeFolder(), "README.md");
  writeFileSync(file, readme);
  const registry = await startStandIn({ "PUT /api/readme": { json: { repository: "team/web", ...answer } } });
  const command = ["repository", "set", "team/web", ...options.map((one) => (one === "FILE" ? file : one)), "--json"];
  const { code, stdout } = await runAt(registry, command, { stdin: readme });
  expect([code, JSON.parse(stdout)]).toEqual([0, { repository: "team/web", ...answer }]);
  expect(registry.calls.map(({ line, body }) => [line, JSON.parse(body) as unknown])).toEqual([
    ["PUT /api/readme", { repository: "team/web", readme }],
  ]);
});

test("--description and --readme are two requests, and said in one line", async () => {
  const registry = await startStandIn({
    "PATCH /api/repositories/team/web": { json: { repository: "team/web", description: "" } },
    "PUT /api/readme": { json: { repository: "team/web", hasReadme: true } },
  });
  const command = ["repository", "set", "team/web", "--description", "", "--readme", "-"];
  const { code, stderr } = await runAt(registry, command, { stdin: "x", terminal: "stderr" });
  expect(code).toBe(0);
  expect(stderr).toContain("team/web: has no description any more; has the readme that was given.");
  expect(registry.calls).toHaveLength(2);
});

test.each([
  ["from stdin", "open sesame\n"],
  ["of a file from Windows", "open sesame\r\n"],
  ["bare", "open sesame"],
])("--password-stdin reads the password: %s", async (_, stdin) => {
  const registry = await startStandIn({
    "POST /api/accounts": { json: ALICE },
    "PUT /api/accounts/alice/password": { json: ALICE },
  });
  for (const verb of ["add", "password"]) {
    const outcome = await runAt(registry, ["account", verb, "alice", "--password-stdin"], { stdin });
    expect(outcome).toEqual({ code: 0, stdout: "", stderr: "" });
  }
  for (const { body } of registry.calls) expect(JSON.parse(body)).toMatchObject({ password: "open sesame" });
});

describe("misuse is one line with exit code 2, and asks nothing of the registry", () => {
  test.each([
    ["acount list", "unknown command 'acount' (Did you mean account?); see stowage --help"],
    ["account add", "missing required argument 'name'; see stowage account add --help"],
    ["account add a b", "too many arguments"],
    ["account add a --password x", "unknown option '--password'; see stowage account add --help"],
    ["account add a --password-stdin", "there is no password on stdin"],
    ["account remove ..  --yes", "'..' is no name"],
    ["token create ci --actions pull", "required option '--repository <pattern...>' not specified"],
    ["token create ci --repository a --actions fly", "Use pull, push, delete, with commas between them"],
    ["token create ci --repository a --actions ,", "Use pull, push, delete"],
    ["token create ci --repository a --actions pull --expires soon", "Write it as 12h or 90d, or never"],
    ["trust add t --claim x", "Write it as name=value"],
    ["trust add t --claim x=1 x=2", "It names x twice"],
    [
      "trust add t --issuer i --audience a --claim a=b --repository r --actions pull --jwks /no/file",
      "--jwks /no/file is not",
    ],
    ["repository set r", "there is nothing to set"],
    ["repository set r --readme /no/file", "--readme /no/file is not a file that can be read"],
    ["repository set r --visibility secret", "Allowed choices are public, private"],
    ["repository set r --immutable-tags off --except-tags latest", "give both"],
    ["repository delete a/../b --yes", "'..' is no name"],
    ["repository set r --stars many", "It must be a whole number"],
    ["repository set r --official perhaps", "Allowed choices are on, off"],
    ["repository set r --expiring-tags perhaps", "Allowed choices are on, off"],
    ["tag history team/web", "name one tag, as REPOSITORY TAG or as REPOSITORY:TAG"],
    ["tag restore team/web:1 2", "name one tag"],
    ["tag restore team/web@sha256:ab", "name one tag"],
    ["tag expire team/web 1", "required option '--after <duration>' not specified"],
    ["tag expire team/web 1 --after 0d", "Write it as 12h or 90d, or never"],
    ["tag at team/web 1 --time yesterday", "Write it as 2026-07-28T12:00:00Z"],
    ["tag at team/web 1 --time 2026-13-01T00:00:00Z", "Write it as 2026-07-28T12:00:00Z"],
    ["tag release", "missing required argument"],
    ["tag release team/web:1", "Write it as REPOSITORY:TAG=DIGEST, or =TAG of the same repository"],
    ["tag release team/web:1=", "Write it as REPOSITORY:TAG"],
    ["tag release team/web=1", "Write it as REPOSITORY:TAG"],
    ["tag release =1", "Write it as REPOSITORY:TAG"],
    ["tag release team/web:1=other/web:2", "Write it as REPOSITORY:TAG"],
    ["tag release a:1=2 b:1=2 a:1=3", "It names a:1 twice"],
    ["retention set dev", "required option '--file <file>' not specified"],
    ["retention set dev --file /no/file", "--file /no/file is not a retention rule"],
    ["retention set dev --file -", "--file - is not a retention rule"],
    ["retention preview", "missing required argument 'name'"],
    ["mirror check --image library/nginx:1", "name the upstream that --image is of"],
    ["mirror check ..", "'..' is no name"],
    ["audit --since yesterday", "Write it as 30m, 12h or 7d"],
    ["audit --limit 0", "It must be a whole number from 1"],
  ])("stowage %s", async (command, message) => {
    const registry = await startStandIn();
    const { code, stdout, stderr } = await runAt(registry, command.split(/ +/));
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^stowage: .*\n$/);
    expect(stdout).toBe("");
    expect(code).toBe(2);
    expect(registry.calls).toEqual([]);
  });

  test.each(["", "account", "repository", "tag", "mirror", "retention"])(
    "no verb shows the help: stowage %s",
    async (command) => {
      const { code, stdout, stderr } = await run(command.split(" ").filter(Boolean));
      expect(stderr).toContain(`Usage: ${`stowage ${command}`.trim()}`);
      expect(stdout).toBe("");
      expect(code).toBe(2);
    },
  );
});

test.each([
  ...new Set(CASES.map(([command]) => /^(audit|gc)\b/.exec(command)?.[0] ?? command.split(" ", 2).join(" "))),
])("stowage %s --help has an example", async (command) => {
  const { code, stdout, stderr } = await run([...command.split(" "), "--help"]);
  expect(stdout).toContain(`Example:\n  $ npx stowage ${command}`);
  expect(stderr).toBe("");
  expect(code).toBe(0);
});
