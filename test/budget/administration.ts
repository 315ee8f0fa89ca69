import { expect } from "vitest";
import { keepRetention } from "../../src/lifecycle/retention-rounds.ts";
import { replacePasswordHash } from "../../src/metadata/accounts.ts";
import { findTrust } from "../../src/metadata/trust.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { toBytes } from "../support/content.ts";
import { contextAt } from "../support/context.ts";
import type { CountedRegistry, Measured, Sent } from "../support/counted-registry.ts";
import { type Descriptor, makeImage, makeIndex } from "../support/manifest-content.ts";
import * as push from "../support/pushes.ts";
import { basicAuth } from "../support/registry.ts";
import type { Session } from "./session.ts";

const PASSWORD = "a password of many words";

/** What the steps of one run are about: nothing of it is there before, and only `second-…` and rules for it are after. */
interface Scene {
  readonly session: Session;
  readonly registry: CountedRegistry;
  /** A small repository: what is summed up or deleted as a whole costs as much as it holds. */
  readonly repository: string;
  /** A blob that it holds, which is the config of its image. */
  readonly config: Descriptor;
  /** Part of a name. */
  readonly key: string;
}

const json = (body: unknown): Sent => ({ body: { bytes: new TextEncoder().encode(JSON.stringify(body)) } });
const as = (authorization: string): Sent => ({ headers: { Authorization: authorization } });
const bodyOf = ({ bytes }: Measured): unknown => JSON.parse(new TextDecoder().decode(bytes));
const member = (key: string) => basicAuth(`first-${key}`, PASSWORD);

async function administerAccounts({ session, registry, key }: Scene): Promise<void> {
  const account = (which: string) => json({ name: `${which}-${key}`, password: PASSWORD });
  await session.step("add an account", 201, "POST", "/api/accounts", account("first"));
  await session.step("add another account", 201, "POST", "/api/accounts", account("second"));
  await session.step("add it again", 409, "POST", "/api/accounts", account("first"));
  await session.step("accounts", 200, "GET", "/api/accounts?n=1");
  await session.step("accounts after one", 200, "GET", "/api/accounts?n=1&last=a");
  const path = `/api/accounts/first-${key}/password`;
  const change = { ...as(member(key)), ...json({ password: PASSWORD, currentPassword: PASSWORD }) };
  await session.step("change one's own password", 200, "PUT", path, change);
  await session.step("set a password", 200, "PUT", path, json({ password: PASSWORD }));
  await session.step("who am I", 200, "GET", "/api/caller", as(member(key)));
  // Done when a password was stored under other parameters.
  const outdated = { name: `first-${key}`, role: "member", passwordHash: "", credentialId: "none" } as const;
  await replacePasswordHash(registry.env.DB, outdated, "none");
}

async function administerTokens({ session, key, repository }: Scene): Promise<void> {
  const order = (which: string) =>
    json({ name: `${which}-${key}`, repositories: [repository, `${repository}/**`], actions: ["pull"], expires: "1h" });
  const made = await session.step("create an access token", 201, "POST", "/api/tokens", order("first"));
  await session.step("create another access token", 201, "POST", "/api/tokens", order("second"));
  await session.step("create it again", 409, "POST", "/api/tokens", order("first"));
  await session.step("access tokens", 200, "GET", "/api/tokens?n=1");
  await session.step("access tokens after one", 200, "GET", "/api/tokens?n=1&last=a");
  const { token } = bodyOf(made) as { token: string };
  const use = as(basicAuth("robot", token));
  await session.step("use an access token", 200, "GET", `/v2/${repository}/tags/list`, use);
  await session.step("use it again", 200, "GET", `/v2/${repository}/tags/list`, use);
  await session.step("check an access token", 200, "GET", checkOf(`token:first-${key}`, repository));
  await session.step("revoke an access token", 204, "DELETE", `/api/tokens/first-${key}`);
  await session.step("revoke it again", 404, "DELETE", `/api/tokens/first-${key}`);
}

const checkOf = (subject: string, repository: string) =>
  `/api/policy/check?${new URLSearchParams({ subject, repository }).toString()}`;

async function administerPolicy({ session, key, repository }: Scene): Promise<void> {
  const subject = `account:first-${key}`;
  const rules = "/api/policy/rules";
  const rule = (pattern: string, to = subject) => json({ subject: to, repository: pattern, actions: ["pull", "push"] });
  const ruleOf = (pattern: string) => `${rules}?${new URLSearchParams({ subject, repository: pattern }).toString()}`;
  await session.step("grant for a name", 200, "POST", rules, rule(repository));
  await session.step("grant for a pattern", 200, "POST", rules, rule(`${repository}/*`));
  await session.step("grant again", 200, "POST", rules, rule(`${repository}/*`));
  await session.step("grant to nobody", 404, "POST", rules, rule(repository, "account:nobody"));
  await session.step("rules", 200, "GET", `${rules}?n=1`);
  await session.step("rules after one", 200, "GET", `${rules}?n=1&last=account:a+a`);
  await session.step("rules of a subject", 200, "GET", `${rules}?n=1&subject=${subject}`);
  await session.step("rules for a repository", 200, "GET", `${rules}?n=1&repository=${repository}`);
  await session.step("check an account", 200, "GET", checkOf(subject, repository));
  await session.step("check anyone", 200, "GET", checkOf("anyone", repository));
  await session.step("check nobody", 404, "GET", checkOf("account:nobody", repository));
  await session.step("pull by a rule", 200, "GET", `/v2/${repository}/tags/list`, as(member(key)));
  await session.step("own repositories", 200, "GET", "/api/repositories?n=1", as(member(key)));
  await session.step("own repositories after one", 200, "GET", "/api/repositories?n=1&last=a", as(member(key)));
  await session.step("own names", 200, "GET", "/v2/_catalog?n=1", as(member(key)));
  await session.step("revoke an action", 200, "DELETE", `${ruleOf(repository)}&actions=push`);
  await session.step("revoke a rule", 204, "DELETE", ruleOf(repository));
  await session.step("revoke nothing", 404, "DELETE", ruleOf(repository));
}

async function administerTrust({ session, registry, key, repository }: Scene): Promise<void> {
  const issuer = `https://${key}.example`;
  const rule = (which: string) =>
    json({
      ...{ name: `${which}-${key}`, issuer, audience: "stowage", claims: { ref: "refs/heads/main" } },
      ...{ repositories: [repository], actions: ["pull"] },
    });
  await session.step("add a trust rule", 201, "POST", "/api/trust", rule("first"));
  await session.step("add another trust rule", 201, "POST", "/api/trust", rule("second"));
  await session.step("add that again", 409, "POST", "/api/trust", rule("second"));
  await session.step("trust rules", 200, "GET", "/api/trust?n=1");
  await session.step("trust rules after one", 200, "GET", "/api/trust?n=1&last=a");
  await session.step("check an identity", 200, "GET", checkOf(`oidc:first-${key}`, repository));
  // Asked for by a token whose issuer signed it.
  await findTrust(registry.env.DB, issuer, [repository as RepositoryName]);
  const ofTrust = `subject=oidc:first-${key}&repository=a`;
  await session.step("check what a trust rule grants", 200, "GET", `/api/policy/check?${ofTrust}`);
  await session.step("remove a trust rule", 204, "DELETE", `/api/trust/first-${key}`);
  await session.step("remove it again", 404, "DELETE", `/api/trust/first-${key}`);
}

async function administerRepository({ session, registry, repository, config }: Scene): Promise<void> {
  const path = `/api/repositories/${repository}`;
  const set = async (name: string, settings: object, status = 200) =>
    await session.step(name, status, "PATCH", path, json(settings));
  await session.step("all repositories", 200, "GET", "/api/repositories?n=1");
  await session.step("all repositories after one", 200, "GET", "/api/repositories?n=1&last=a");
  await set("make it public", { visibility: "public" });
  await session.step("pull as nobody", 200, "GET", `/v2/${repository}/tags/list`, as(basicAuth("", "")));
  await set("make it private", { visibility: "private" });
  await set("make its tags immutable", { immutableTags: true, exceptTags: ["dev-*"] });
  await session.step("show a repository", 200, "GET", path);
  const other = await makeImage([config, config]);
  session.noteAll("move an immutable tag", 403, [await push.pushManifest(registry, repository, "v1", other)]);
  await session.step("delete an immutable tag", 403, "DELETE", `/v2/${repository}/manifests/v1`);
  const { digest } = await makeImage([config]);
  await session.step("delete a manifest with an immutable tag", 403, "DELETE", `/v2/${repository}/manifests/${digest}`);
  await session.step("delete a repository with immutable tags", 403, "DELETE", path);
  await set("let its tags move", { immutableTags: false });
  await session.step("delete a repository", 204, "DELETE", path);
  await session.step("delete it again", 404, "DELETE", path);
}

async function readAudit({ session, key, repository }: Scene): Promise<void> {
  const actor = `actor=account:first-${key}`;
  const filters = {
    "since a time": "since=2026-01-01T00:00:00Z",
    "before one": "last=1",
    "of a repository": `repository=${repository}`,
    "of an actor": actor,
    "of a kind": "action=repository.delete",
    "of all that": `${actor}&repository=${repository}&action=blob.delete&since=2026-01-01T00:00:00Z`,
  };
  await session.step("events", 200, "GET", "/api/audit?n=1");
  await session.step("usage", 200, "GET", "/api/usage");
  await session.step("upstreams", 200, "GET", "/api/mirror");
  for (const [name, filter] of Object.entries(filters)) {
    await session.step(`events ${name}`, 200, "GET", `/api/audit?n=1&${filter}`);
  }
}

/** What the page shows, to an admin and to who may pull by a rule. */
async function browse({ session, key, repository }: Scene): Promise<void> {
  const rule = { subject: `account:first-${key}`, repository, actions: ["pull", "delete"] };
  await session.step("let a member browse", 200, "POST", "/api/policy/rules", json(rule));
  const index = await makeIndex([]);
  await session.step("describe it", 200, "PATCH", `/api/repositories/${repository}`, json({ description: "x" }));
  await session.step("set its readme", 200, "PUT", "/api/readme", json({ repository, readme: "# x" }));
  await session.step("set it again", 200, "PUT", "/api/readme", json({ repository, readme: "# y" }));
  const of = `repository=${repository}`;
  const target = `/v2/${repository}/manifests/index`;
  const body = { bytes: index.bytes };
  await session.step("push an empty index", 201, "PUT", target, { body, headers: { "Content-Type": index.mediaType } });
  const paths = {
    "repositories by push": "repositories?n=1&sort=pushed",
    "repositories by push after one": `repositories?n=1&sort=pushed&last=${btoa("2000000000000 a")}`,
    "repositories by size": "repositories?n=1&sort=size&order=asc",
    "repositories by part of a name": "repositories?n=1&q=zz",
    "a repository": `repositories/${repository}`,
    "its tags": `tags?${of}&n=1`,
    "its tags after one": `tags?${of}&n=1&last=a`,
    "its tags, the last one first": `tags?${of}&n=1&last=zz&order=desc`,
    "its tags by time": `tags?${of}&n=1&sort=updated`,
    "its tags by size after one": `tags?${of}&n=1&sort=size&last=${btoa("1000000000 a")}`,
    "its tags by part of a name": `tags?${of}&n=1&q=inde`,
    "a tag's history": `tags/history?${of}&tag=v1&n=1`,
    "what it named": `tags/at?${of}&tag=v1&time=2099-01-01T00:00:00Z`,
    "what goes with a tag": `tags/deletion?${of}&tag=v1`,
    "what goes with a manifest": `tags/deletion?${of}&digest=${index.digest}`,
    "its readme": `readme?${of}`,
  };
  for (const [name, path] of Object.entries(paths)) {
    await session.step(`${name}, for an admin`, 200, "GET", `/api/${path}`);
    await session.step(`${name}, for a member`, 200, "GET", `/api/${path}`, as(member(key)));
  }
  await session.step("search for part of names", 200, "GET", "/v1/search?q=other%2Fr&n=1");
  await session.step("search for part of names, as a member", 200, "GET", "/v1/search?q=other%2Fr", as(member(key)));
  await session.step("search for two letters", 200, "GET", "/v1/search?q=zz&n=1");
  await session.step("a repository that is private, for nobody", 404, "GET", `/api/${paths["a repository"]}`, as(""));
  await session.step("usage of the last days", 200, "GET", "/api/usage/history?days=2");
  await session.step("take its readme away", 200, "PUT", "/api/readme", json({ repository, readme: "" }));
}

async function administerTags({ session, registry, repository, config, key }: Scene): Promise<void> {
  const image = await makeImage([config], { annotations: { "expires-after": "1h" } });
  await push.pushManifest(registry, repository, "moving", image);
  const address = { repository, tag: "moving" };
  const at = `repository=${repository}&tag=moving`;
  const digest = image.digest;
  await session.step("tags with their state", 200, "GET", `/api/tags?repository=${repository}&n=1`);
  await session.step("history of a tag", 200, "GET", `/api/tags/history?${at}&n=1`);
  await session.step("a tag at a time", 200, "GET", `/api/tags/at?${at}&time=2099-01-01T00:00:00Z`);
  await session.step("set a tag's end", 200, "POST", "/api/tags/expiry", json({ ...address, expires: "1h" }));
  await session.step("let tags expire", 200, "PATCH", `/api/repositories/${repository}`, json({ expiringTags: true }));
  const labels = JSON.stringify({ key, config: { Labels: { "expires-after": "1h" } } });
  const labelled = await push.storeBlob(registry, repository, toBytes(labels));
  const pushed = await push.pushManifest(registry, repository, "labelled", await makeImage([labelled]));
  session.noteAll("push an image with a label", 201, [pushed]);
  await session.step("let none expire", 200, "PATCH", `/api/repositories/${repository}`, json({ expiringTags: false }));
  await session.step("release tags", 200, "POST", "/api/tags/release", json({ releases: [{ ...address, digest }] }));
  const absent = { ...address, digest: `sha256:${"0".repeat(64)}` };
  await session.step("release what is not there", 404, "POST", "/api/tags/release", json({ releases: [absent] }));
  await session.step("delete a tag", 202, "DELETE", `/v2/${repository}/manifests/moving`);
  await session.step("restore a tag", 200, "POST", "/api/tags/restore", json(address));
  await session.step("what waits for collection", 200, "GET", "/api/collection");
}

/** Of four tags of one image, two go: one by each way to let a rule run. */
async function administerRetention({ session, registry, repository, config, key }: Scene): Promise<void> {
  const image = await makeImage([config], { annotations: { key } });
  for (const tag of ["kept", "old-1", "old-2"]) await push.pushManifest(registry, repository, tag, image);
  const path = `/api/retention/first-${key}`;
  const keeping = (...tags: string[]) => ({ repository, tags: ["kept", "old-*"], keep: { tags } });
  await session.step("set a retention rule", 200, "PUT", path, json(keeping("kept", "old-2")));
  await session.step(
    "set a retention rule for a pattern",
    200,
    "PUT",
    `/api/retention/second-${key}`,
    json({ ...keeping("*"), repository: `${repository}/*` }),
  );
  await session.step("retention rules", 200, "GET", "/api/retention?n=1");
  await session.step("retention rules after one", 200, "GET", "/api/retention?n=1&last=a");
  await session.step(
    "run a rule that nobody previewed",
    409,
    "POST",
    "/api/retention/run",
    json({ name: `first-${key}` }),
  );
  await session.step(
    "preview a rule that is given",
    200,
    "POST",
    "/api/retention/preview",
    json({ rule: keeping("kept") }),
  );
  await session.step("preview a rule", 200, "POST", "/api/retention/preview", json({ name: `first-${key}` }));
  await session.step("run a rule", 200, "POST", "/api/retention/run", json({ name: `first-${key}` }));
  await session.step("set it again", 200, "PUT", path, json({ ...keeping("none"), mayEmpty: true }));
  await session.step("preview it again", 200, "POST", "/api/retention/preview", json({ name: `first-${key}` }));
  await session.step("run all rules", 200, "POST", "/api/retention/run", json({}));
  await push.pushManifest(registry, repository, "old-3", image);
  await registry.env.DB.prepare("UPDATE retention_round SET after_name = NULL, started_at = 0 WHERE id = 1").run();
  registry.counter.reset();
  expect(await keepRetention(contextAt(0, registry.env.DB))).toBe(1);
  session.note("retention by the schedule", registry.counter.usage);
  for (const which of ["first", "second"]) {
    await session.step(`remove the ${which} retention rule`, 204, "DELETE", `/api/retention/${which}-${key}`);
  }
  await session.step("remove it again", 404, "DELETE", path);
}

/** Does everything that the admin API can do. */
export async function administer(session: Session, registry: CountedRegistry, above: string): Promise<void> {
  const repository = `${above}/api`;
  const key = above.replaceAll("/", "-");
  const config = await push.storeBlob(registry, repository, new TextEncoder().encode(repository));
  await push.pushManifest(registry, repository, "v1", await makeImage([config]));
  const scene = { session, registry, repository, config, key };
  await administerAccounts(scene);
  await administerTokens(scene);
  await administerPolicy(scene);
  await administerTrust(scene);
  await administerTags(scene);
  await browse(scene);
  await administerRetention(scene);
  await administerRepository(scene);
  await readAudit(scene);
  await session.step("remove an account", 204, "DELETE", `/api/accounts/first-${key}`);
  await session.step("remove it again, as it was", 404, "DELETE", `/api/accounts/first-${key}`);
}
