import { afterEach, describe, expect, it, vi } from "vitest";
import { digestOf, OCI_INDEX, pushBlob, pushImage, randomBytes } from "../support/images.ts";
import { setVisibility } from "../support/people.ts";
import { basicAuth, freshRepository } from "../support/registry.ts";
import { addHost, passTime, TestUpstream } from "../support/upstream.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const CREDENTIALS = { credentials: "UPSTREAM_TEST" };
/** The admin's, who may pull everything. */
const SECRET = { UPSTREAM_TEST: atob(basicAuth().slice("Basic ".length)) };

let hosts = 0;

/** A server of which the test hears each request. */
function listen(answer: (request: Request) => Response, host = `storage-${++hosts}.test`) {
  const requests: Request[] = [];
  addHost(host, async (request) => {
    requests.push(request);
    return await Promise.resolve(answer(request));
  });
  return { origin: `https://${host}`, requests };
}

const blobOf = (bytes: Uint8Array) => () =>
  new Response(bytes, { headers: { "Content-Length": String(bytes.byteLength) } });

const redirect = (location: string) => new Response(null, { status: 307, headers: { Location: location } });

describe("an upstream's log-in", () => {
  it("is a token for the repository, with the credentials of the settings, and is kept", async () => {
    const upstream = new TestUpstream(CREDENTIALS);
    const remote = freshRepository();
    const { digest } = await pushImage(remote, { tag: "v1" });
    const path = `/v2/${upstream.name}/${remote}/manifests`;
    expect((await upstream.ask("GET", `${path}/v1`, {}, SECRET)).status).toBe(200);
    const scopes = upstream.tokenRequests.map((url) => new URL(url).searchParams.get("scope"));
    expect(scopes).toEqual([`repository:${remote}:pull`]);
    await pushImage(remote, { tag: "v2" });
    expect((await upstream.ask("GET", `${path}/v2`, {}, SECRET)).status).toBe(200);
    expect(upstream.tokenRequests).toHaveLength(1);
    expect((await upstream.ask("GET", `${path}/${digest}`, {}, SECRET)).status).toBe(200);
  });

  it("is made anew when the token has ended", async () => {
    const pass = passTime();
    const upstream = new TestUpstream(CREDENTIALS);
    const remote = freshRepository();
    await pushImage(remote, { tag: "v1" });
    const path = `/v2/${upstream.name}/${remote}/manifests/v1`;
    await upstream.ask("GET", path, {}, SECRET);
    pass(10 * 60_000);
    expect((await upstream.ask("GET", path, {}, SECRET)).headers.has("Warning")).toBe(false);
    expect(upstream.tokenRequests).toHaveLength(2);
  });

  it("is Basic where the upstream wants that", async () => {
    const upstream = new TestUpstream(CREDENTIALS);
    const bytes = randomBytes(1000);
    upstream.fault = ({ headers, method }) => {
      if (headers.get("Authorization") === basicAuth()) return method === "GET" ? blobOf(bytes)() : undefined;
      return new Response(null, { status: 401, headers: { "WWW-Authenticate": 'Basic realm="it"' } });
    };
    const path = `/v2/${upstream.name}/app/blobs/${await digestOf(bytes)}`;
    expect((await upstream.ask("GET", path, {}, SECRET)).bytes).toEqual(bytes);
  });

  it("that fails is told to nobody, but for that", async () => {
    const upstream = new TestUpstream(CREDENTIALS);
    const remote = freshRepository();
    await pushImage(remote, { tag: "v1" });
    const wrong = { UPSTREAM_TEST: "admin:hunter2hunter2" };
    const answer = await upstream.ask("GET", `/v2/${upstream.name}/${remote}/manifests/v1`, {}, wrong);
    expect(answer.status).toBe(404);
    expect(new TextDecoder().decode(answer.bytes)).not.toContain("hunter2");
  });

  it.each([
    ["no address", "nowhere"],
    ["plain HTTP", "http://auth.example.org/token"],
    ["a private address", "https://10.0.0.1/token"],
    ["this machine", "https://localhost/token"],
  ])("does not go to %s", async (_, realm) => {
    const upstream = new TestUpstream(CREDENTIALS);
    upstream.fault = () =>
      new Response(null, { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${realm}",service="x"` } });
    const heard = listen(() => Response.json({ token: "x" }), new URL(realm, "https://nowhere").host);
    expect((await upstream.ask("GET", `/v2/${upstream.name}/app/manifests/v1`, {}, SECRET)).status).toBe(503);
    expect(heard.requests).toEqual([]);
  });

  it("is not for where it redirects to", async () => {
    const upstream = new TestUpstream(CREDENTIALS);
    const tokens = listen(() => Response.json({ token: "x" }));
    const storage = listen(() => {
      return new Response(null, {
        status: 401,
        headers: { "WWW-Authenticate": `Bearer realm="${tokens.origin}/token"` },
      });
    });
    upstream.fault = ({ url }) => (url.includes("/blobs/") ? redirect(`${storage.origin}/x`) : undefined);
    const remote = freshRepository();
    const { digest } = await pushBlob(remote, randomBytes(10));
    expect((await upstream.ask("GET", `/v2/${upstream.name}/${remote}/blobs/${digest}`, {}, SECRET)).status).toBe(404);
    expect(storage.requests.length).toBeGreaterThan(0);
    expect(tokens.requests).toEqual([]);
  });
});

describe("a redirect of an upstream", () => {
  it("is followed, without its token", async () => {
    const upstream = new TestUpstream(CREDENTIALS);
    const remote = freshRepository();
    const bytes = randomBytes(100_000);
    const { digest } = await pushBlob(remote, bytes);
    const storage = listen(blobOf(bytes));
    upstream.fault = ({ url, headers }) =>
      url.includes("/blobs/") && headers.has("Authorization") ? redirect(`${storage.origin}/signed?by=it`) : undefined;
    const answer = await upstream.ask("GET", `/v2/${upstream.name}/${remote}/blobs/${digest}`, {}, SECRET);
    expect(answer.bytes).toEqual(bytes);
    expect(storage.requests.map(({ url, headers }) => [url, headers.get("Authorization")])).toEqual([
      [`${storage.origin}/signed?by=it`, null],
    ]);
  });

  it.each([
    ["plain HTTP", "http://storage.example.org/x"],
    ["this machine", "https://127.0.0.1/x"],
    ["a private network", "https://192.168.1.1/x"],
    ["the metadata of a cloud", "https://169.254.169.254/latest"],
    ["a name of a private network", "https://vault.internal/x"],
    ["IPv6 for a private network", "https://[::ffff:10.0.0.1]/x"],
    ["no web server", "file:///etc/passwd"],
  ])("to %s is not followed", async (_, location) => {
    const upstream = new TestUpstream();
    const remote = freshRepository();
    await pushImage(remote);
    await setVisibility(remote, "public");
    const bytes = randomBytes(10);
    const { digest } = await pushBlob(remote, bytes);
    const heard = listen(blobOf(bytes), new URL(location).host);
    upstream.fault = ({ url }) => (url.includes("/blobs/") ? redirect(location) : undefined);
    expect((await upstream.ask("GET", `/v2/${upstream.name}/${remote}/blobs/${digest}`)).status).toBe(503);
    expect(heard.requests).toEqual([]);
  });

  it("to a private address is followed where the settings say so", async () => {
    const upstream = new TestUpstream({ private: true });
    const remote = freshRepository();
    await pushImage(remote);
    await setVisibility(remote, "public");
    const bytes = randomBytes(10);
    const { digest } = await pushBlob(remote, bytes);
    listen(blobOf(bytes), "127.0.0.1:9");
    upstream.fault = ({ url }) => (url.includes("/blobs/") ? redirect("http://127.0.0.1:9/x") : undefined);
    expect((await upstream.ask("GET", `/v2/${upstream.name}/${remote}/blobs/${digest}`)).bytes).toEqual(bytes);
  });

  it("that never ends does", async () => {
    const upstream = new TestUpstream();
    upstream.fault = ({ url }) => redirect(url);
    expect((await upstream.ask("GET", `/v2/${upstream.name}/app/manifests/v1`)).status).toBe(503);
    expect(upstream.requests.length).toBeLessThan(10);
  });
});

describe("an upstream's lists", () => {
  const text = ({ bytes }: { bytes: Uint8Array }) => JSON.parse(new TextDecoder().decode(bytes)) as { tags: string[] };

  it("of tags are the upstream's, page by page", async () => {
    const upstream = new TestUpstream();
    const remote = freshRepository();
    for (const tag of ["a", "b", "c"]) await pushImage(remote, { tag });
    await setVisibility(remote, "public");
    const path = `/v2/${upstream.name}/${remote}/tags/list`;
    expect(text(await upstream.ask("GET", path)).tags).toEqual(["a", "b", "c"]);
    const page = await upstream.ask("GET", `${path}?n=2`);
    expect(text(page).tags).toEqual(["a", "b"]);
    const next = /^<([^>]+)>/.exec(page.headers.get("Link")!)![1]!;
    expect(text(await upstream.ask("GET", next)).tags).toEqual(["c"]);
  });

  it("of tags are those that are here, where the upstream cannot be asked", async () => {
    const upstream = new TestUpstream();
    const remote = freshRepository();
    for (const tag of ["a", "b"]) await pushImage(remote, { tag });
    await setVisibility(remote, "public");
    const path = `/v2/${upstream.name}/${remote}`;
    await upstream.ask("GET", `${path}/manifests/b`);
    upstream.fault = () => new Response(null, { status: 500 });
    const list = await upstream.ask("GET", `${path}/tags/list`);
    expect([list.status, text(list).tags]).toEqual([200, ["b"]]);
    expect(list.headers.get("Warning")).toContain("this is what is known here");
    expect((await upstream.ask("GET", `/v2/${upstream.name}/${freshRepository()}/tags/list`)).status).toBe(503);
  });

  it.each([400, 404, 405, 501])(
    "of referrers are none where the upstream knows no such list (%i), and it is not left alone for that",
    async (status) => {
      const upstream = new TestUpstream();
      const remote = freshRepository();
      const { digest } = await pushImage(remote, { tag: "v1" });
      await setVisibility(remote, "public");
      upstream.fault = ({ url }) => (url.includes("/referrers/") ? new Response(null, { status }) : undefined);
      const path = `/v2/${upstream.name}/${remote}`;
      const list = await upstream.ask("GET", `${path}/referrers/${digest}`);
      expect([list.status, JSON.parse(new TextDecoder().decode(list.bytes))]).toEqual([
        200,
        { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] },
      ]);
      expect((await upstream.ask("GET", `${path}/manifests/v1`)).headers.has("Warning")).toBe(false);
    },
  );

  it("of referrers are the upstream's, filtered here", async () => {
    const upstream = new TestUpstream();
    const remote = freshRepository();
    const subject = await pushImage(remote, { tag: "v1" });
    const referrer = await pushImage(remote, { more: { subject, artifactType: "application/x-signature" } });
    await setVisibility(remote, "public");
    const path = `/v2/${upstream.name}/${remote}/referrers/${subject.digest}`;
    const list = async (query: string) => {
      const { bytes } = await upstream.ask("GET", path + query);
      return (JSON.parse(new TextDecoder().decode(bytes)) as { manifests: { digest: string }[] }).manifests;
    };
    expect((await list("")).map(({ digest }) => digest)).toEqual([referrer.digest]);
    expect(await list("?artifactType=application/x-other")).toEqual([]);
  });
});
