import { basicAuth, expectStatus, send, sendAnonymously, type Sent } from "./registry.ts";
import { type TokenAnswer, tokenPath } from "./tokens.ts";

/** Someone who can log in: what a request's Authorization holds, and who that is. */
export interface Person {
  readonly name: string;
  readonly username: string;
  readonly password: string;
  readonly basic: { readonly Authorization: string };
}

let count = 0;
const unique = (kind: string) => `${kind}-${Date.now().toString(36)}-${(count += 1)}`;

async function administer(method: string, path: string, body?: object): Promise<Response> {
  return await send(method, path, body ? { body: JSON.stringify(body) } : {});
}

type Grants = Readonly<Record<string, readonly string[]>>;

/** Grants actions on patterns to a subject. */
export async function grant(subject: string, grants: Grants): Promise<void> {
  for (const [repository, actions] of Object.entries(grants)) {
    await expectStatus(await administer("POST", "/api/policy/rules", { subject, repository, actions }), 200);
  }
}

/** A new account, and what rules let it do. */
export async function addAccount(grants: Grants = {}, role = "member"): Promise<Person> {
  const name = unique("account");
  const answer = await expectStatus(await administer("POST", "/api/accounts", { name, role }), 201);
  const { password } = await answer.json<{ password: string }>();
  await grant(`account:${name}`, grants);
  return { name, username: name, password, basic: { Authorization: basicAuth(name, password) } };
}

/** A new access token for one pattern. */
export async function createToken(repository: string, actions: readonly string[], expires = "1h"): Promise<Person> {
  const name = unique("token");
  const order = { name, repositories: [repository], actions, expires };
  const { token } = await (
    await expectStatus(await administer("POST", "/api/tokens", order), 201)
  ).json<{ token: string }>();
  return { name, username: "robot", password: token, basic: { Authorization: basicAuth("robot", token) } };
}

/** Sets the visibility of a repository, or of a pattern. */
export async function setVisibility(repository: string, visibility: "public" | "private"): Promise<void> {
  await expectStatus(await administer("PATCH", `/api/repositories/${repository}`, { visibility }), 200);
}

/** What the token endpoint answers to someone, or to nobody. */
export async function askToken(person: Person | undefined, ...scopes: string[]): Promise<TokenAnswer> {
  const response = await sendAnonymously("GET", tokenPath(...scopes), { headers: person?.basic ?? {} });
  return await (await expectStatus(response, 200)).json<TokenAnswer>();
}

/** Headers with a bearer token for these scopes, as far as someone, or nobody, may have them. */
export async function bearerOf(person: Person | undefined, ...scopes: string[]): Promise<{ Authorization: string }> {
  return { Authorization: `Bearer ${(await askToken(person, ...scopes)).token}` };
}

/** Sends a request with Basic. */
export async function sendAs(person: Person, method: string, path: string, sent: Sent = {}): Promise<Response> {
  return await sendAnonymously(method, path, { ...sent, headers: { ...person.basic, ...sent.headers } });
}
