import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Context } from "../../src/context.ts";
import { MirrorMemory } from "../../src/mirror/memory.ts";
import { listUpstreamReferrers, listUpstreamTags } from "../../src/mirror/upstream-lists.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../src/oci/media-type.ts";
import { parseRepositoryName } from "../../src/oci/repository-name.ts";
import { mirrorAtRoot, mirrorByName } from "../../src/policy/upstream.ts";
import { parseUpstreams } from "../../src/policy/upstream-settings.ts";

const SUBJECT = `sha256:${"5".repeat(64)}` as Digest;
const REFERRER = { mediaType: MEDIA_TYPES.ociManifest, digest: `sha256:${"4".repeat(64)}`, size: 7 };

const address = mirrorByName(parseUpstreams('[{"name":"up.test"}]', {}), parseRepositoryName("up.test/team/app"))!;

/** An upstream of which only these paths, behind its repository, are known. */
function contextOf(answers: Readonly<Record<string, Response>>): Context {
  const fetch = (url: string) =>
    Promise.resolve(answers[url.split("/app/")[1] ?? ""] ?? new Response("", { status: 404 }));
  const parts = { fetch, mirror: new MirrorMemory(), db: env.DB, now: Date.now, defer: () => undefined };
  return parts as unknown as Context;
}

const listOf = (...manifests: object[]) =>
  Response.json({ schemaVersion: 2, manifests }, { headers: { "Content-Type": MEDIA_TYPES.ociIndex } });

describe("referrers of an upstream", () => {
  const api = `referrers/${SUBJECT}`;
  const tag = `manifests/sha256-${"5".repeat(64)}`;
  const other = { ...REFERRER, size: 8 };

  it.each<[string, Readonly<Record<string, Response>>, object[]]>([
    ["that has the API are what that lists", { [api]: listOf(REFERRER), [tag]: listOf(other) }, [REFERRER]],
    ["that has the API, and none, are none", { [api]: listOf(), [tag]: listOf(other) }, []],
    ["without it are what the tag lists", { [tag]: listOf(REFERRER) }, [REFERRER]],
    [
      "with a page in its place are what the tag lists",
      { [api]: new Response("<p>"), [tag]: listOf(REFERRER) },
      [REFERRER],
    ],
    ["without it, and with an image under the tag, are none", { [tag]: Response.json({ layers: [] }) }, []],
    ["without either are none", {}, []],
  ])("%s", async (_, answers, expected) => {
    const query = { subject: SUBJECT, artifactType: undefined, after: undefined, limit: 10 };
    const { entries } = await listUpstreamReferrers(contextOf(answers), address, query);
    expect(entries).toEqual(expected);
  });
});

describe("tags of an upstream", () => {
  it.each([
    { upstream: ["b", "a"], hasLink: false, last: "", entries: ["a", "b"], next: undefined },
    { upstream: ["c", "a", "b"], hasLink: false, last: "", entries: ["a", "b"], next: "b" },
    { upstream: ["c", "a", "b"], hasLink: false, last: "b", entries: ["c"], next: undefined },
    { upstream: ["b", "a"], hasLink: false, last: "a", entries: ["b"], next: undefined },
    { upstream: ["b", "a"], hasLink: false, last: "B", entries: ["b", "a"], next: undefined },
    { upstream: ["B", "a", "c"], hasLink: false, last: "", entries: ["a", "B"], next: "B" },
    { upstream: ["B", "a", "c"], hasLink: false, last: "B", entries: ["c"], next: undefined },
    { upstream: ["b", "a"], hasLink: true, last: "", entries: ["b", "a"], next: "a" },
    { upstream: ["a", "b"], hasLink: true, last: "a", entries: ["a", "b"], next: "b" },
    { upstream: ["b"], hasLink: true, last: "b", entries: ["b"], next: undefined },
    { upstream: [], hasLink: true, last: "b", entries: [], next: undefined },
  ])("$upstream after '$last' are $entries", async ({ upstream, hasLink, last, entries, next }) => {
    const headers = new Headers(hasLink ? { Link: "</more>; rel=next" } : {});
    const query = new URLSearchParams({ n: "2", ...(last !== "" && { last }) }).toString();
    const context = contextOf({ [`tags/list?${query}`]: Response.json({ tags: upstream }, { headers }) });
    expect(await listUpstreamTags(context, address, { last, limit: 2 })).toEqual({ entries, next });
  });
});

describe("an upstream at the root", () => {
  const upstreams = parseUpstreams(
    '[{"name":"docker.io","root":true},{"name":"up.test","repositories":["open/*"]}]',
    {},
  );

  it.each(["up.test/closed/app", "docker.io/library/app"])(
    "is not asked for %s, which is another's by its name",
    (name) => {
      expect(mirrorAtRoot(upstreams, "registry.test", parseRepositoryName(name))).toBeUndefined();
    },
  );

  it("is asked for what begins with no upstream's name", () => {
    const address = mirrorAtRoot(upstreams, "registry.test", parseRepositoryName("library/app"));
    expect(address).toMatchObject({ repository: "docker.io/library/app", remote: "library/app" });
  });
});
