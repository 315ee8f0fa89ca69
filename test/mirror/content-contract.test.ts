import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { digestOf, image, index, OCI_CONFIG, pushBlob, pushManifest, randomBytes } from "../support/images.ts";
import { setVisibility } from "../support/people.ts";
import { freshRepository } from "../support/registry.ts";
import { type Answer, TestUpstream } from "../support/upstream.ts";

/** What clients pull, each with what they may ask of it. */
interface Repository {
  readonly name: string;
  readonly digests: Readonly<Record<"image" | "index" | "layer" | "referrer" | "absent", string>>;
}

async function fill(): Promise<Repository> {
  const name = freshRepository();
  const layer = await pushBlob(name, randomBytes(5_000));
  const config = await pushBlob(name, JSON.stringify({ id: name }), { mediaType: OCI_CONFIG });
  const subject = await pushManifest(name, image(config, [layer]), { tag: "v1" });
  const list = await pushManifest(name, index([subject]), { tag: "multi" });
  const referrer = await pushManifest(name, image(config, [], { subject, artifactType: "application/x-signature" }));
  for (const tag of ["a", "B", "c"]) await pushManifest(name, image(config, [layer]), { tag });
  await setVisibility(name, "public");
  const digests = { image: subject.digest, index: list.digest, layer: layer.digest, referrer: referrer.digest };
  return { name, digests: { ...digests, absent: await digestOf("absent") } };
}

type Ask = (digests: Repository["digests"]) => readonly [path: string, headers?: Record<string, string>];

/** All that a client may ask of content; each is the same whatever it comes from. */
const OPERATIONS: readonly (readonly [what: string, ask: Ask])[] = [
  ["a manifest by tag", () => ["manifests/v1"]],
  ["a manifest by digest", ({ image: digest }) => [`manifests/${digest}`]],
  ["an index by tag", () => ["manifests/multi"]],
  ["an index by digest", ({ index: digest }) => [`manifests/${digest}`]],
  ["an unknown tag", () => ["manifests/nothing"]],
  ["what cannot be a tag", () => ["manifests/.."]],
  ["an unknown digest", ({ absent }) => [`manifests/${absent}`]],
  ["a malformed digest", () => ["manifests/sha256:abc"]],
  ["a manifest that the client has", ({ image: digest }) => ["manifests/v1", { "If-None-Match": `"${digest}"` }]],
  ["a manifest of which the client has another", () => ["manifests/v1", { "If-None-Match": '"sha256:0"' }]],
  ["a blob", ({ layer }) => [`blobs/${layer}`]],
  ["an unknown blob", ({ absent }) => [`blobs/${absent}`]],
  ["a malformed blob", () => ["blobs/sha256:abc"]],
  ["the first bytes of a blob", ({ layer }) => [`blobs/${layer}`, { Range: "bytes=0-99" }]],
  ["the rest of a blob", ({ layer }) => [`blobs/${layer}`, { Range: "bytes=4000-" }]],
  ["the last bytes of a blob", ({ layer }) => [`blobs/${layer}`, { Range: "bytes=-10" }]],
  ["more than a blob has", ({ layer }) => [`blobs/${layer}`, { Range: "bytes=5000-" }]],
  ["two parts of a blob", ({ layer }) => [`blobs/${layer}`, { Range: "bytes=0-1,4-5" }]],
  ["a blob that the client has", ({ layer }) => [`blobs/${layer}`, { "If-None-Match": `"${layer}"` }]],
  ["the tags", () => ["tags/list"]],
  ["a page of tags", () => ["tags/list?n=2"]],
  ["the next page of tags", () => ["tags/list?n=2&last=B"]],
  ["the last page of tags", () => ["tags/list?last=v1"]],
  ["a page of no tags", () => ["tags/list?n=0"]],
  ["a malformed page", () => ["tags/list?n=x"]],
  ["referrers", ({ image: digest }) => [`referrers/${digest}`]],
  ["referrers of a type", ({ image: digest }) => [`referrers/${digest}?artifactType=application/x-signature`]],
  ["referrers of another type", ({ image: digest }) => [`referrers/${digest}?artifactType=application/x-other`]],
  ["referrers of what has none", ({ layer }) => [`referrers/${layer}`]],
];

const HEADERS = [
  ...["Content-Type", "Content-Length", "Content-Range", "Docker-Content-Digest", "ETag", "Cache-Control"],
  ...["Accept-Ranges", "Link", "OCI-Filters-Applied", "Warning"],
];

/** What clients see of an answer; what it says in words is its own, and so is the name of the repository. */
async function seen({ status, headers, bytes }: Answer, name: string) {
  const text = new TextDecoder().decode(bytes);
  const json =
    text !== "" && headers.get("Content-Type") === "application/json"
      ? (JSON.parse(text.replaceAll(name, "NAME")) as { errors?: { code: string }[] })
      : undefined;
  const isError = status >= 400;
  const values = HEADERS.map((header) => [header, headers.get(header)?.replaceAll(name, "NAME") ?? null] as const);
  return {
    status,
    headers: Object.fromEntries(values.filter(([header]) => !(header === "Content-Length" && (isError || json)))),
    body: isError ? json?.errors?.map(({ code }) => code) : (json ?? (await digestOf(bytes))),
  };
}

const SOURCES = ["local", "mirrored, cold", "mirrored, warm", "mirrored, of an upstream that is gone"] as const;

describe.each(SOURCES)("content that is %s", (source) => {
  let upstream: TestUpstream;
  let repository: Repository;
  let name: string;

  beforeAll(async () => {
    upstream = new TestUpstream();
    repository = await fill();
    name = source === "local" ? repository.name : `${upstream.name}/${repository.name}`;
    if (source === "local" || source === "mirrored, cold") return;
    for (const [, ask] of OPERATIONS) await upstream.ask("GET", `/v2/${name}/${ask(repository.digests)[0]}`);
    for (const tag of ["a", "B", "c"]) await upstream.ask("GET", `/v2/${name}/manifests/${tag}`);
    await upstream.ask("GET", `/v2/${name}/manifests/${repository.digests.referrer}`);
    if (source === "mirrored, of an upstream that is gone") upstream.fault = () => new Response(null, { status: 502 });
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });

  // Where the upstream cannot be asked, whether it has something more cannot be told, and lists come with a warning.
  const isGone = source === "mirrored, of an upstream that is gone";
  const operations = OPERATIONS.filter(([what]) => !(isGone && /unknown|tags|referrers/.test(what)));

  describe.each(operations)("%s", (_, ask) => {
    it.each(["HEAD", "GET"])("is answered alike: %s", async (method) => {
      const [path, headers = {}] = ask(repository.digests);
      const answer = await upstream.ask(method, `/v2/${name}/${path}`, { headers });
      const local = new TestUpstream();
      const expected = await local.ask(method, `/v2/${repository.name}/${path}`, { headers });
      expect(await seen(answer, name)).toEqual(await seen(expected, repository.name));
    });
  });
});
