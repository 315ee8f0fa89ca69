import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { writeImageLayout } from "./images.ts";
import type { ManifestContent } from "./registry.ts";
import { registry, requestRegistry } from "./registry.ts";
import type { RegistryAccess } from "./server.ts";
import { workspaceOfTest } from "./workspace.ts";

/** What someone may do with repositories. */
export type Action = "pull" | "push" | "delete";

/** What a client logs in with. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Leave to do something with the repositories of a pattern. */
export type Grant = readonly [repository: string, ...actions: Action[]];

/** Who may do everything. */
export const ADMIN: Credentials = registry;

/** A request to the admin API, as the admin; it must succeed. */
async function requestApi(
  method: string,
  path: string,
  body?: object,
  at: RegistryAccess = registry,
): Promise<unknown> {
  const response = await fetch(`${at.url}/api/${path}`, {
    method,
    headers: { authorization: basicAuth(at), "content-type": "application/json" },
    body: body ? JSON.stringify(body) : null,
  });
  const text = await response.text();
  expect(response.ok, `${method} /api/${path}: ${response.status} ${text}`).toBe(true);
  return text === "" ? undefined : JSON.parse(text);
}

/** The header that proves credentials. */
export function basicAuth({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Adds an account that may do just this. */
export async function addAccount(...grants: readonly Grant[]): Promise<Credentials> {
  return await addAccountAt(registry, ...grants);
}

/** The same, at another registry than that under test. */
export async function addAccountAt(at: RegistryAccess, ...grants: readonly Grant[]): Promise<Credentials> {
  const name = `account-${randomUUID()}`;
  const { password } = (await requestApi("POST", "accounts", { name }, at)) as { password: string };
  for (const [repository, ...actions] of grants) {
    await requestApi("POST", "policy/rules", { subject: `account:${name}`, repository, actions }, at);
  }
  return { username: name, password };
}

/** Gives an account another password, as an admin does. */
export async function changePassword({ username }: Credentials): Promise<Credentials> {
  const { password } = (await requestApi("PUT", `accounts/${username}/password`, {})) as { password: string };
  return { username, password };
}

/** An access token as a password, beside a username that means nothing. */
export type AccessToken = Credentials & { readonly name: string };

/** Creates an access token for repositories. */
export async function createToken(repository: string, ...actions: readonly Action[]): Promise<AccessToken> {
  const order = { name: `token-${randomUUID()}`, repositories: [repository], actions, expires: "1h" };
  const { name, token } = (await requestApi("POST", "tokens", order)) as { name: string; token: string };
  return { name, username: "whoever", password: token };
}

export async function revokeToken({ name }: AccessToken): Promise<void> {
  await requestApi("DELETE", `tokens/${name}`);
}

/** Makes a repository public, or all repositories of a pattern. */
export async function makePublic(repository: string, at?: RegistryAccess): Promise<void> {
  await requestApi("PATCH", `repositories/${repository}`, { visibility: "public" }, at);
}

/** Sets what a search shows of a repository. */
export async function setAbout(
  repository: string,
  about: { readonly description?: string; readonly stars?: number; readonly official?: boolean },
): Promise<void> {
  await requestApi("PATCH", `repositories/${repository}`, about);
}

/** Makes the tags of a repository stay where they are, but for those of the patterns. */
export async function makeTagsImmutable(repository: string, ...exceptTags: readonly string[]): Promise<void> {
  await requestApi("PATCH", `repositories/${repository}`, { immutableTags: true, exceptTags });
}

/** Puts an image like no other into a repository under the tag v1, past all clients and rules. Its digest. */
export async function seedImage(repository: string): Promise<string> {
  const layout = (await workspaceOfTest()).path("seed");
  const image = await writeImageLayout(layout, "v1", { layers: ["file"] });
  const read = (digest: string) => readFile(join(layout, "blobs/sha256", digest.slice("sha256:".length)));
  const bytes = await read(image.digest);
  const { config, layers = [] } = JSON.parse(bytes.toString()) as ManifestContent;
  for (const { digest } of [...(config ? [config] : []), ...layers]) {
    const path = `${repository}/blobs/uploads/?digest=${digest}`;
    expect((await requestRegistry("POST", path, {}, await read(digest))).status).toBe(201);
  }
  const headers = { "content-type": image.mediaType };
  expect((await requestRegistry("PUT", `${repository}/manifests/v1`, headers, bytes)).status).toBe(201);
  return image.digest;
}
