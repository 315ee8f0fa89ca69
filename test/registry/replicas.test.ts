import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import worker from "../../src/worker.ts";
import { makeSubject, pathsOf, type Subject } from "../support/caches.ts";
import { absent, image, pushManifest } from "../support/images.ts";
import { basicAuth, expectStatus, ORIGIN, send, sendWith } from "../support/registry.ts";
import { StaleReplica } from "../support/stale-replica.ts";

let replica: StaleReplica;
let subject: Subject;

beforeEach(async () => {
  replica = new StaleReplica();
  subject = await makeSubject();
  // The first pull of a day is noted, which is a query of its own.
  await expectStatus(await send("GET", pathsOf(subject)["a manifest by digest"]), 200);
  // So is the platform of an image when it is first listed.
  await expectStatus(await send("GET", `/api/tags?repository=${subject.repository}`), 200);
});

interface Answer {
  readonly status: number;
  readonly digest: string | null;
  readonly text: string;
  readonly replica: number;
  readonly primary: number;
}

/** Sends a request, and tells which databases were asked for its answer. */
async function ask(path: string, { method = "GET", as = subject.puller }: Partial<Ask> = {}): Promise<Answer> {
  const before = { ...replica.calls };
  const request = new Request(new URL(path, ORIGIN), { method, headers: { ...as } });
  const execution = createExecutionContext();
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], replica.bind(env), execution);
  const after = { ...replica.calls };
  const text = new TextDecoder().decode(await response.arrayBuffer());
  await waitOnExecutionContext(execution);
  return {
    ...{ status: response.status, digest: response.headers.get("Docker-Content-Digest"), text },
    ...{ replica: after.replica - before.replica, primary: after.primary - before.primary },
  };
}

const ADMIN = { Authorization: basicAuth() };

interface Ask {
  readonly what: string;
  readonly path: (subject: Subject) => string;
  readonly method?: string;
  readonly as?: object;
}

const OLD: readonly Ask[] = [
  { what: "GET of a manifest by digest", path: (one) => pathsOf(one)["a manifest by digest"] },
  { what: "HEAD of a manifest by digest", path: (one) => pathsOf(one)["a manifest by digest"], method: "HEAD" },
  { what: "GET of a blob", path: (one) => pathsOf(one)["a blob"] },
  { what: "the tags of a repository", path: (one) => `/v2/${one.repository}/tags/list` },
  { what: "the catalog", path: () => "/v2/_catalog?n=1", as: ADMIN },
  { what: "the repositories", path: () => "/api/repositories?n=1", as: ADMIN },
  { what: "tags with their state", path: (one) => `/api/tags?repository=${one.repository}`, as: ADMIN },
  {
    what: "the history of a tag",
    path: (one) => `/api/tags/history?repository=${one.repository}&tag=latest`,
    as: ADMIN,
  },
  { what: "the audit trail", path: () => "/api/audit?n=1", as: ADMIN },
];

const NEVER_OLD: readonly Ask[] = [
  { what: "the repositories, for who may not see all", path: () => "/api/repositories?n=1", as: {} },
  { what: "a search, for who may not see all", path: () => "/v1/search?q=a", as: { "X-Docker-Token": "true" } },
  { what: "GET by tag", path: (one) => pathsOf(one)["a manifest by tag"] },
  { what: "HEAD by tag", path: (one) => pathsOf(one)["a manifest by tag"], method: "HEAD" },
  { what: "HEAD of a blob", path: (one) => pathsOf(one)["a blob"], method: "HEAD" },
  { what: "GET of a manifest by who may push", path: (one) => pathsOf(one)["a manifest by digest"], as: ADMIN },
  {
    what: "HEAD of a manifest by who may push",
    path: (one) => pathsOf(one)["a manifest by digest"],
    as: ADMIN,
    method: "HEAD",
  },
];

describe("what may be a little old", () => {
  it.each(OLD)("$what is told by a replica", async ({ path, ...more }) => {
    const answer = await ask(path(subject), more);
    expect([answer.status, answer.replica, answer.primary]).toEqual([200, 1, 0]);
    // As the database itself says it.
    replica.freeze();
    const again = await ask(path(subject), more);
    expect([again.status, again.text, again.replica, again.primary]).toEqual([200, answer.text, 1, 0]);
  });

  it.each(OLD)("$what is asked of the database where the replica knows nothing", async ({ path, ...more }) => {
    replica.freeze();
    const answer = await ask(path(subject), more);
    expect([answer.status, answer.replica, answer.primary]).toEqual([200, 1, 1]);
  });

  it("referrers are told by a replica that knows some, else by the database", async () => {
    const { repository, image: target } = subject;
    const path = `/v2/${repository}/referrers/${target.digest}`;
    expect(await ask(path)).toMatchObject({ status: 200, replica: 1, primary: 1 });
    replica.freeze();
    const { mediaType, digest, size } = target;
    const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: subject.blob, size: 100_000 };
    const signature = await pushManifest(repository, image(config, [], { subject: { mediaType, digest, size } }));
    const answer = await ask(path);
    expect(answer).toMatchObject({ status: 200, replica: 1, primary: 1 });
    expect(answer.text).toContain(signature.digest);
    const other = new StaleReplica();
    replica = other;
    expect(await ask(path)).toMatchObject({ status: 200, replica: 1, primary: 0 });
  });

  it("is 404 only when the database says so too", async () => {
    const { digest } = await absent();
    for (const path of [`blobs/${digest}`, `manifests/${digest}`]) {
      const answer = await ask(`/v2/${subject.repository}/${path}`);
      expect(answer).toMatchObject({ status: 404, replica: 1, primary: 1 });
    }
    expect(await ask("/v2/test/no-such-repository/tags/list", { as: ADMIN })).toMatchObject({
      ...{ status: 404, replica: 1, primary: 1 },
    });
  });
});

describe("what is never old", () => {
  it.each(NEVER_OLD)("$what asks no replica", async ({ path, ...more }) => {
    const answer = await ask(path(subject), more);
    expect([answer.status, answer.replica]).toEqual([200, 0]);
    expect(answer.primary).toBeGreaterThan(0);
  });

  it("a tag that has moved names its new manifest", async () => {
    await ask(pathsOf(subject)["a manifest by tag"]);
    replica.freeze();
    const { image: moved } = await makeSubject(subject.repository);
    expect((await ask(pathsOf(subject)["a manifest by tag"])).digest).toBe(moved.digest);
  });

  it("a blob that is gone is gone for HEAD, whatever a replica knows", async () => {
    const path = pathsOf(subject)["a blob"];
    await ask(path);
    replica.freeze();
    await expectStatus(await send("DELETE", `/api/repositories/${subject.repository}`), 204);
    expect([(await ask(path)).status, (await ask(path, { method: "HEAD" })).status]).toEqual([200, 404]);
  });
});

it("the sessions of the platform's own database answer", async () => {
  const settings = { READ_REPLICAS: "on", CONTENT_CACHE_TTL: "0s" };
  for (const { path, method = "GET", as = subject.puller } of OLD) {
    const response = await sendWith(settings, method, path(subject), { headers: { ...as } });
    expect([path(subject), response.status]).toEqual([path(subject), 200]);
    await response.arrayBuffer();
  }
});
