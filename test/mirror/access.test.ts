import { afterEach, describe, expect, it, vi } from "vitest";
import { pushImage } from "../support/images.ts";
import { addAccount, setVisibility } from "../support/people.ts";
import { basicAuth, freshRepository, ORIGIN } from "../support/registry.ts";
import { tokenPath } from "../support/tokens.ts";
import { type Answer, TestUpstream } from "../support/upstream.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const HOST = new URL(ORIGIN).hostname;

/** An image of an upstream that anyone may pull there. */
async function publicImage(upstream: TestUpstream): Promise<{ remote: string; digest: string; repository: string }> {
  const remote = freshRepository();
  const { digest } = await pushImage(remote, { tag: "v1" });
  await setVisibility(remote, "public");
  return { remote, digest, repository: `${upstream.name}/${remote}` };
}

const codeOf = ({ bytes }: Answer): string | undefined =>
  (JSON.parse(new TextDecoder().decode(bytes)) as { errors?: [{ code: string }] }).errors?.[0].code;

/** What comes of a pull, as docker makes it: with a token for the scope that it takes from the name. */
async function pull(upstream: TestUpstream, repository: string, { query = "", basic = {}, scope = repository } = {}) {
  const token = await upstream.ask("GET", tokenPath(`repository:${scope}:pull`), { headers: basic });
  const { token: text } = JSON.parse(new TextDecoder().decode(token.bytes)) as { token: string };
  const headers = { Authorization: `Bearer ${text}` };
  const answer = await upstream.ask("GET", `/v2/${repository}/manifests/v1${query}`, { headers });
  return answer.status === 200 ? answer.headers.get("Docker-Content-Digest") : `${answer.status} ${codeOf(answer)}`;
}

describe("three ways lead to an upstream", () => {
  it("its name in the path", async () => {
    const upstream = new TestUpstream();
    const { repository, digest } = await publicImage(upstream);
    expect(await pull(upstream, repository)).toBe(digest);
  });

  it.each(["the name", "the host"])("%s in containerd's ns", async (what) => {
    const host = `registry-${crypto.randomUUID()}.test`;
    const upstream = new TestUpstream(what === "the name" ? {} : { url: `https://${host}` });
    const { remote, repository, digest } = await publicImage(upstream);
    if (what === "the host") upstream.listenOn(host);
    const query = `?ns=${what === "the name" ? upstream.name : host}`;
    expect(await pull(upstream, remote, { query, scope: repository })).toBe(digest);
    const anonymous = await upstream.ask("GET", `/v2/${remote}/manifests/v1${query}`);
    expect(anonymous.headers.get("Docker-Content-Digest")).toBe(digest);
  });

  it.each([
    ["every hostname", true],
    ["this hostname", [HOST]],
  ])("the root of %s", async (_, root) => {
    const upstream = new TestUpstream({ root });
    const { remote, digest } = await publicImage(upstream);
    // The upstream is this Worker too: there, the repository has another name.
    const other = freshRepository();
    upstream.rename(other, remote);
    expect(await pull(upstream, other)).toBe(digest);
  });

  it("but not the root of another hostname, nor another ns", async () => {
    const upstream = new TestUpstream({ root: ["mirror.example.org"] });
    const { digest, remote } = await publicImage(upstream);
    const other = freshRepository();
    upstream.rename(other, remote);
    expect(await pull(upstream, other)).toBe("401 UNAUTHORIZED");
    expect(await pull(upstream, other, { query: "?ns=elsewhere.test" })).toBe("401 UNAUTHORIZED");
    expect(await pull(upstream, `${upstream.name}/${other}`)).toBe(digest);
  });
});

describe("a repository here", () => {
  it("always wins at the root, for who may pull it", async () => {
    const upstream = new TestUpstream({ root: true });
    const { remote, digest } = await publicImage(upstream);
    const name = freshRepository();
    upstream.rename(name, remote);
    const own = await pushImage(name, { tag: "v1" });
    const reader = await addAccount({ [name]: ["pull"] });
    expect(await pull(upstream, name, { basic: reader.basic })).toBe(own.digest);
    expect(await pull(upstream, name, { query: `?ns=${upstream.name}`, basic: reader.basic })).toBe(own.digest);
    // Who may not pull it does not learn of it either.
    expect(await pull(upstream, name)).toBe(digest);
  });

  it("is never mirrored over, whatever its name", async () => {
    const upstream = new TestUpstream();
    const { remote } = await publicImage(upstream);
    const own = `${upstream.name}/${freshRepository()}`;
    upstream.rename(own.slice(upstream.name.length + 1), remote);
    const { digest } = await pushImage(own, { tag: "mine" });
    const basic = { Authorization: basicAuth() };
    const mine = await upstream.ask("GET", `/v2/${own}/manifests/mine`, { headers: basic });
    expect(mine.headers.get("Docker-Content-Digest")).toBe(digest);
    for (const what of ["manifests/v1", `manifests/sha256:${"0".repeat(64)}`, `blobs/sha256:${"0".repeat(64)}`]) {
      expect((await upstream.ask("GET", `/v2/${own}/${what}`, { headers: basic })).status).toBe(404);
    }
    const tags = await upstream.ask("GET", `/v2/${own}/tags/list`, { headers: basic });
    expect(JSON.parse(new TextDecoder().decode(tags.bytes))).toEqual({ name: own, tags: ["mine"] });
    expect(upstream.take()).toEqual([]);
  });

  it("is not looked for elsewhere by who may push it: it may be about to come", async () => {
    const upstream = new TestUpstream({ root: true });
    const { remote } = await publicImage(upstream);
    const name = freshRepository();
    upstream.rename(name, remote);
    const basic = { Authorization: basicAuth() };
    const absent = await upstream.ask("HEAD", `/v2/${name}/blobs/sha256:${"0".repeat(64)}`, { headers: basic });
    expect(absent.status).toBe(404);
    expect(upstream.take()).toEqual([]);
  });
});

describe("what mirrors an upstream", () => {
  it("may be pulled by anyone where the settings say so, and else by nobody without a name", async () => {
    const open = new TestUpstream({ anonymous: true });
    const closed = new TestUpstream({ anonymous: false });
    const images = [await publicImage(open), await publicImage(closed)] as const;
    expect(await pull(open, images[0].repository)).toBe(images[0].digest);
    expect(await pull(closed, images[1].repository)).toBe("401 UNAUTHORIZED");
    await setVisibility(images[1].repository, "public");
    expect(await pull(closed, images[1].repository)).toBe("401 UNAUTHORIZED");
    expect(closed.take()).toEqual([]);
    const reader = await addAccount({ [images[1].repository]: ["pull"] });
    expect(await pull(closed, images[1].repository, { basic: reader.basic })).toBe(images[1].digest);
    const other = await addAccount();
    const answer = await pull(closed, images[1].repository, { basic: other.basic });
    // What anyone may pull, every account may.
    expect(answer).toBe(images[1].digest);
  });

  it("is only what the settings allow", async () => {
    const upstream = new TestUpstream({ repositories: ["allowed/*"] });
    const { remote, digest } = await publicImage(upstream);
    upstream.rename("allowed/app", remote);
    upstream.rename("other/app", remote);
    expect(await pull(upstream, `${upstream.name}/allowed/app`)).toBe(digest);
    expect(await pull(upstream, `${upstream.name}/other/app`)).toBe("401 UNAUTHORIZED");
    const basic = { Authorization: basicAuth() };
    const asAdmin = await upstream.ask("GET", `/v2/${upstream.name}/other/app/manifests/v1`, { headers: basic });
    expect([asAdmin.status, codeOf(asAdmin)]).toEqual([404, "NAME_UNKNOWN"]);
    expect(upstream.take().filter((line) => line.includes("other"))).toEqual([]);
  });

  it.each(["POST", "PUT", "PATCH"])("takes no push: %s", async (method) => {
    const upstream = new TestUpstream();
    const { repository } = await publicImage(upstream);
    const path = { POST: "blobs/uploads/", PUT: "manifests/v2", PATCH: "blobs/uploads/x" }[method] ?? "";
    const answer = await upstream.ask(method, `/v2/${repository}/${path}`, { headers: { Authorization: basicAuth() } });
    expect([answer.status, codeOf(answer)]).toEqual([403, "DENIED"]);
    expect(new TextDecoder().decode(answer.bytes)).toContain(`mirrors ${upstream.name}`);
  });

  it("may be deleted, as a cache is emptied", async () => {
    const upstream = new TestUpstream();
    const { repository, digest } = await publicImage(upstream);
    await pull(upstream, repository);
    const headers = { Authorization: basicAuth() };
    expect((await upstream.ask("DELETE", `/v2/${repository}/manifests/${digest}`, { headers })).status).toBe(202);
    upstream.take();
    expect(await pull(upstream, repository)).toBe(digest);
    expect(upstream.take().length).toBeGreaterThan(0);
  });
});
