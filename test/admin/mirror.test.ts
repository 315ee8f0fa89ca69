import { afterEach, describe, expect, it, vi } from "vitest";
import { callApi } from "../support/api.ts";
import { pushImage } from "../support/images.ts";
import { createToken } from "../support/people.ts";
import { basicAuth, expectStatus, freshRepository, send } from "../support/registry.ts";
import { type Fault, passTime, TestUpstream } from "../support/upstream.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const AS_ADMIN = { headers: { Authorization: basicAuth() } };
const SECRET = "a-secret-that-nobody-sees";

interface Listed {
  readonly name: string;
  readonly answeredAt: string | null;
  readonly failedAt: string | null;
  readonly failure: string | null;
  readonly mirrored: { readonly repositories: number; readonly bytes: number };
  readonly rateLimit: unknown;
}

interface Checked {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
  readonly milliseconds: number;
  readonly digest: string | null;
  readonly rateLimit: unknown;
}

async function read<T>(
  upstream: TestUpstream,
  method: string,
  path: string,
  more: object = {},
  status = 200,
): Promise<T> {
  const answer = await upstream.ask(method, path, AS_ADMIN, more);
  const text = new TextDecoder().decode(answer.bytes);
  expect({ status: answer.status, text }).toEqual({ status, text: expect.any(String) as string });
  expect(text).not.toContain(SECRET);
  return JSON.parse(text) as T;
}

/** The one upstream of the Worker's settings. */
async function listed(upstream: TestUpstream, more: object = {}): Promise<Listed> {
  const { upstreams } = await read<{ upstreams: Listed[] }>(upstream, "GET", "/api/mirror", more);
  expect(upstreams).toHaveLength(1);
  return upstreams[0]!;
}

const check = async (upstream: TestUpstream, query = "", more: object = {}): Promise<Checked> =>
  await read(upstream, "POST", `/api/mirror/${upstream.name}/check${query}`, more);

/** The code and message with which a check is refused. */
async function refusal(upstream: TestUpstream, path: string, status: number): Promise<string> {
  const { errors } = await read<{ errors: [{ code: string; message: string }] }>(upstream, "POST", path, {}, status);
  return `${errors[0].code}: ${errors[0].message}`;
}

/** A repository of the upstream that anyone may pull, with an image. */
async function publicImage(): Promise<{ remote: string; digest: string }> {
  const remote = freshRepository();
  const rule = { subject: "anyone", repository: remote, actions: ["pull"] };
  await expectStatus(await send("POST", "/api/policy/rules", { body: JSON.stringify(rule) }), 200);
  const { digest } = await pushImage(remote, { tag: "v1" });
  return { remote, digest };
}

describe("the list of upstreams", () => {
  it("is empty where the registry mirrors none", async () => {
    expect(await (await callApi("GET", "mirror")).json()).toEqual({ upstreams: [] });
  });

  it("has the settings, with what they leave out, and no secret", async () => {
    const upstream = new TestUpstream({ credentials: "UPSTREAM_TEST", repositories: ["library/*"], root: ["a.test"] });
    expect(await listed(upstream, { UPSTREAM_TEST: `robot:${SECRET}` })).toEqual({
      ...{ name: upstream.name, url: `https://${upstream.name}`, hasCredentials: true, anonymous: true },
      ...{ repositories: ["library/*"], root: ["a.test"] },
      ...{ freshness: "5m", stale: "never", cooldown: "0s", kept: "30d" },
      ...{ mirrored: { repositories: 0, bytes: 0 }, answeredAt: null, failedAt: null, failure: null, rateLimit: null },
    });
  });

  it("has all that the settings say", async () => {
    const said = { url: "https://elsewhere.test", anonymous: false, root: true };
    const times = { freshness: "90s", stale: "12h", cooldown: "3d", kept: "never" };
    expect(await listed(new TestUpstream({ ...said, ...times }))).toMatchObject({
      ...{ ...said, ...times, hasCredentials: false, repositories: ["**"] },
    });
  });

  it("tells when an upstream answered, and what is here of it", async () => {
    const upstream = new TestUpstream();
    const other = new TestUpstream();
    for (const one of [upstream, other]) {
      const { remote } = await publicImage();
      expect((await one.ask("GET", `/v2/${one.name}/${remote}/manifests/v1`)).status).toBe(200);
    }
    // One of our own, of the time before there was such an upstream.
    await pushImage(`${upstream.name}/own`, { tag: "v1" });
    const { mirrored, answeredAt, failedAt } = await listed(upstream);
    expect(mirrored.repositories).toBe(1);
    expect(mirrored.bytes).toBeGreaterThan(0);
    expect(Date.parse(answeredAt!)).toBeGreaterThan(Date.now() - 60_000);
    expect(failedAt).toBe(null);
  });
});

describe("a check", () => {
  it("of a registry that lets nobody in without a name says that it answers", async () => {
    const upstream = new TestUpstream();
    const checked = await check(upstream);
    expect(checked).toMatchObject({ name: upstream.name, ok: true, digest: null, rateLimit: null });
    expect(checked.message).toContain(`${upstream.name} answers`);
    expect((await listed(upstream)).answeredAt).not.toBe(null);
  });

  it.each<[string, number, Record<string, string>, string]>([
    ["without its own", 200, {}, "lets anyone in"],
    ["that asks for Basic", 401, { "WWW-Authenticate": 'Basic realm="x"' }, "only a check with an image"],
  ])("of a registry %s", async (_what, status, headers, message) => {
    const upstream = new TestUpstream();
    upstream.fault = () => new Response(null, { status, headers });
    const checked = await check(upstream);
    expect(checked.ok).toBe(true);
    expect(checked.message).toContain(message);
  });

  it("goes by the credentials", async () => {
    const upstream = new TestUpstream({ credentials: "UPSTREAM_TEST" });
    const { password } = await createToken("**", ["pull"]);
    const right = await check(upstream, "", { UPSTREAM_TEST: `robot:${password}` });
    expect([right.ok, right.message]).toEqual([true, `${upstream.name} answers, and accepts its credentials`]);
    const wrong = await check(upstream, "", { UPSTREAM_TEST: `nobody:${SECRET}` });
    expect([wrong.ok, wrong.message]).toEqual([false, `${upstream.name} does not accept its credentials`]);
    upstream.fault = () => new Response(null, { status: 401, headers: { "WWW-Authenticate": 'Basic realm="x"' } });
    const basic = await check(upstream, "", { UPSTREAM_TEST: `nobody:${SECRET}` });
    expect([basic.ok, basic.message]).toEqual([false, `${upstream.name} does not accept its credentials`]);
    expect((await listed(upstream, { UPSTREAM_TEST: `nobody:${SECRET}` })).failure).toBe(basic.message);
  });

  it("asks for an image by HEAD alone, and stores nothing", async () => {
    const upstream = new TestUpstream();
    const { remote, digest } = await publicImage();
    const checked = await check(upstream, `?image=${remote}:v1`);
    expect(checked).toMatchObject({ ok: true, digest, message: `${upstream.name} has ${remote}:v1` });
    expect(new Set(upstream.take())).toEqual(new Set([`HEAD /v2/${remote}/manifests/v1`]));
    expect((await listed(upstream)).mirrored.repositories).toBe(0);
    const byDigest = await check(upstream, `?image=${remote}@${digest}`);
    expect([byDigest.ok, byDigest.digest]).toEqual([true, digest]);
  });

  it("for what is not there says so, and nothing against the upstream", async () => {
    const upstream = new TestUpstream();
    const { remote } = await publicImage();
    const checked = await check(upstream, `?image=${remote}:v2`);
    expect(checked).toMatchObject({ ok: false, digest: null });
    expect(checked.message).toContain(remote);
    expect((await listed(upstream)).failedAt).toBe(null);
  });

  it("tells the limits, which are remembered", async () => {
    const upstream = new TestUpstream();
    const limits = { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600" };
    upstream.fault = () => new Response(null, { headers: limits });
    const { rateLimit } = await check(upstream);
    expect(rateLimit).toEqual({ limit: 100, remaining: 76, window: 21_600 });
    upstream.fault = () => new Response(null, { headers: { "ratelimit-limit": "100", "ratelimit-remaining": "75" } });
    expect((await check(upstream)).rateLimit).toEqual({ limit: 100, remaining: 75, window: null });
    const seenAt = expect.any(String) as string;
    expect((await listed(upstream)).rateLimit).toEqual({ limit: 100, remaining: 75, window: null, seenAt });
  });

  it.each<[string, Fault, string]>([
    ["is out of order", () => new Response(null, { status: 500 }), "answers a request for /v2/ with status 500"],
    ["is no registry", () => new Response(null, { status: 404 }), "answers a request for /v2/ with status 404"],
    ["cannot be reached", () => Promise.reject(new TypeError("no such host")), "cannot be reached"],
    [
      "leads into a private network",
      () => new Response(null, { status: 302, headers: { Location: "https://10.0.0.1/v2/" } }),
      "which is a private address",
    ],
  ])("of an upstream that %s says what went wrong, and notes it", async (_what, fault, message) => {
    const upstream = new TestUpstream();
    upstream.fault = fault;
    const checked = await check(upstream);
    expect(checked.ok).toBe(false);
    expect(checked.message).toContain(message);
    const { failure, failedAt, answeredAt } = await listed(upstream);
    expect([failure, answeredAt]).toEqual([checked.message, null]);
    expect(failedAt).not.toBe(null);
    upstream.fault = undefined;
    expect((await check(upstream)).ok).toBe(true);
    expect((await listed(upstream)).answeredAt).not.toBe(null);
  });

  it("that goes well ends the time for which an upstream that failed is left alone", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    const { remote } = await publicImage();
    const warningOf = async (path: string) => (await upstream.ask("GET", path)).headers.get("Warning");
    const path = `/v2/${upstream.name}/${remote}/manifests/v1`;
    expect(await warningOf(path)).toBe(null);
    pass(6 * 60_000);
    upstream.fault = () => new Response(null, { status: 500 });
    expect(await warningOf(path)).toContain("status 500");
    upstream.fault = undefined;
    expect(await warningOf(path)).not.toBe(null);
    expect((await check(upstream)).ok).toBe(true);
    expect(await warningOf(path)).toBe(null);
  });

  it("says how long it took", async () => {
    const pass = passTime();
    const upstream = new TestUpstream();
    upstream.fault = () => {
      pass(250);
      return new Response(null);
    };
    expect((await check(upstream)).milliseconds).toBeGreaterThanOrEqual(250);
  });

  it("that makes no sense is refused, and asks nothing", async () => {
    const upstream = new TestUpstream({ repositories: ["library/*"] });
    const path = `/api/mirror/${upstream.name}/check`;
    expect(await refusal(upstream, "/api/mirror/elsewhere.test/check", 404)).toContain("no upstream elsewhere.test");
    expect(await refusal(upstream, `${path}?image=other/app:1`, 400)).toMatch(/^REQUEST_INVALID: other\/app is none/);
    expect(await refusal(upstream, `${path}?image=library/app`, 400)).toContain("TAG_INVALID");
    expect(await refusal(upstream, `${path}?images=library/app:1`, 400)).toContain("images");
    expect(upstream.take()).toEqual([]);
  });
});
