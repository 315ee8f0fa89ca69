import { env } from "cloudflare:workers";
import { renewClaim } from "../../src/metadata/uploads.ts";
import { inPieces, makeBytes, digestOf } from "../support/content.ts";
import type { CountedRegistry } from "../support/counted-registry.ts";
import { makeImage, makeIndex, referringTo, TOO_BIG_FOR_A_ROW } from "../support/manifest-content.ts";
import { makeTar } from "../support/tars.ts";
import * as push from "../support/pushes.ts";
import { administer } from "./administration.ts";
import { type Costs, Session } from "./session.ts";

/** Nothing that any registry of these tests holds. */
const UNKNOWN_DIGEST = `sha256:${"0".repeat(64)}`;

/** A body that ends before its time. */
function* brokenOff(bytes: Uint8Array): Generator<Uint8Array, void> {
  yield* inPieces(bytes, 1_000);
  throw new Error("the client is gone");
}

/** Bytes that no other repository has: content that is known already costs less. */
function ownBytes(repository: string, size: number): Uint8Array {
  const letters = new TextEncoder().encode(repository);
  const seed = letters.reduce((sum, letter) => (sum * 31 + letter) % 1_000_003, size);
  return makeBytes(size, seed);
}

async function pushBlobs(session: Session, registry: CountedRegistry, repository: string): Promise<void> {
  const uploads = `/v2/${repository}/blobs/uploads/`;
  const open = async () => (await registry.send("POST", uploads)).headers.get("Location")!;
  const pushed = async (name: string, size: number, pushBy: typeof push.pushByPost) =>
    session.noteAll(name, 201, await pushBy(registry, { repository, bytes: ownBytes(repository, size) }));
  await pushed("POST with the digest", 1_001, push.pushByPost);
  await pushed("POST with the digest, again", 1_001, push.pushByPost);
  await pushed("PUT", 1_002, push.pushByPut);
  await pushed("PATCH and PUT", 70_000, push.pushByPatch);
  await pushed("PATCH and PUT of two parts", 7_000_000, push.pushByPatch);
  await pushed("chunks", 200_000, async (to, blob) => await push.pushInChunks(to, { ...blob, chunkSize: 70_000 }));

  const body = { bytes: makeBytes(1_000) };
  await session.step("POST with a wrong digest", 400, "POST", `${uploads}?digest=${UNKNOWN_DIGEST}`, { body });
  await session.step("PUT with a wrong digest", 400, "PUT", `${await open()}?digest=${UNKNOWN_DIGEST}`, { body });
  const afterPatch = await open();
  await session.step("PATCH", 202, "PATCH", afterPatch, { body: { bytes: makeBytes(70_000) } });
  await session.step("status", 204, "GET", afterPatch);
  await session.step("PUT of other bytes", 400, "PUT", `${afterPatch}?digest=${UNKNOWN_DIGEST}`);
  const broken = await open();
  await session.step("broken PATCH", 400, "PATCH", broken, { body: { bytes: brokenOff(makeBytes(5_000)) } });
  await session.step("broken PATCH that states its length", 400, "PATCH", await open(), {
    body: { bytes: brokenOff(makeBytes(70_000)), length: 80_000 },
  });
  const headers = { "Content-Range": "900000-900999" };
  await session.step("PATCH elsewhere", 416, "PATCH", broken, { headers, body });
  await session.step("cancel", 204, "DELETE", broken);
  await session.step("unknown upload", 404, "PATCH", broken, { body });
}

async function mountBlobs(session: Session, repository: string): Promise<void> {
  const uploads = `/v2/${repository}/blobs/uploads/`;
  const known = await digestOf(ownBytes(repository, 1_001));
  await session.step(
    "mount",
    201,
    "POST",
    `/v2/${repository}/mounted/blobs/uploads/?mount=${known}&from=${repository}`,
  );
  await session.step("mount from anywhere", 201, "POST", `/v2/${repository}/mounted/blobs/uploads/?mount=${known}`);
  await session.step("mount of nothing", 202, "POST", `${uploads}?mount=${UNKNOWN_DIGEST}&from=${repository}`);
  await session.step("mount of nothing from anywhere", 202, "POST", `${uploads}?mount=${UNKNOWN_DIGEST}`);
}

async function useManifests(session: Session, registry: CountedRegistry, repository: string): Promise<void> {
  const bytes = ownBytes(repository, 1_001);
  const config = { digest: await digestOf(bytes), size: bytes.byteLength };
  const image = await makeImage([config, config]);
  const big = await makeImage([config], TOO_BIG_FOR_A_ROW);
  const index = await makeIndex([image, big]);
  const referrer = await makeImage([config], referringTo(image));
  const refused = await makeImage([config, { digest: UNKNOWN_DIGEST, size: 1 }]);
  const path = `/v2/${repository}`;
  const put = async (name: string, reference: string, manifest: typeof image, status = 201) =>
    session.noteAll(name, status, [await push.pushManifest(registry, repository, reference, manifest)]);

  await put("push an image", "v1", image);
  await put("push it again", "v1", image);
  await put("push it with tags", `${image.digest}?tag=v2&tag=v3`, image);
  await put("push one too big for a row", "big", big);
  await put("push that again", "big", big);
  await put("push an index", "all", index);
  await put("move a tag", "v3", index);
  await put("push a referrer", "referrer", referrer);
  await put(
    "push a referrer too big for a row",
    "r2",
    await makeImage([config], { ...referringTo(image), ...TOO_BIG_FOR_A_ROW }),
  );
  await put("push an incomplete image", "refused", refused, 404);

  for (const method of ["GET", "HEAD"]) {
    await session.step(`${method} by tag`, 200, method, `${path}/manifests/v1`);
    await session.step(`${method} by digest`, 200, method, `${path}/manifests/${image.digest}`);
    await session.step(`${method} a big one`, 200, method, `${path}/manifests/big`);
    await session.step(`${method} an unknown manifest`, 404, method, `${path}/manifests/unknown`);
    await session.step(`${method} a blob`, 200, method, `${path}/blobs/${config.digest}`);
    await session.step(`${method} an unknown blob`, 404, method, `${path}/blobs/${UNKNOWN_DIGEST}`);
  }
  await session.step("tags", 200, "GET", `${path}/tags/list?n=2`);
  await session.step("tags after one", 200, "GET", `${path}/tags/list?n=2&last=b`);
  await session.step("tags after the last", 200, "GET", `${path}/tags/list?n=2&last=zzz`);
  await session.step("repositories", 200, "GET", "/v2/_catalog?n=1");
  await session.step("repositories after one", 200, "GET", `/v2/_catalog?n=1&last=a`);
  await session.step("referrers", 200, "GET", `${path}/referrers/${image.digest}?n=1`);
  await session.step("referrers after one", 200, "GET", `${path}/referrers/${image.digest}?n=1&last=1`);
  await session.step("referrers of a type", 200, "GET", `${path}/referrers/${image.digest}?artifactType=a/b`);

  await useArchives(session, repository);

  await session.step("delete a tag", 202, "DELETE", `${path}/manifests/v2`);
  await session.step("delete an unknown tag", 404, "DELETE", `${path}/manifests/v2`);
  await session.step("delete an image that an index holds", 405, "DELETE", `${path}/manifests/${image.digest}`);
  await session.step("delete a blob that an image holds", 405, "DELETE", `${path}/blobs/${config.digest}`);
  for (const manifest of [index, big, image]) {
    await session.step(
      `delete a manifest of ${manifest.size} bytes`,
      202,
      "DELETE",
      `${path}/manifests/${manifest.digest}`,
    );
  }
  const other = await digestOf(ownBytes(repository, 1_002));
  await session.step("delete a blob", 202, "DELETE", `${path}/blobs/${other}`);
  await session.step("delete an unknown blob", 404, "DELETE", `${path}/blobs/${other}`);
}

/** What is pulled and pushed as archives, before anything of it is deleted. */
async function useArchives(session: Session, repository: string): Promise<void> {
  for (const what of [":v1.tar", ":big.tar", ":all.tar", ":all.tar?format=oci", ":all.tar?platform=linux/s390x"]) {
    const status = what.includes("s390x") ? 404 : 200;
    await session.step(`archive${what}`, status, "GET", `/archive/${repository}${what}`);
  }
  const archive = makeTar({
    "c.json": JSON.stringify({ rootfs: { diff_ids: [await digestOf(ownBytes(repository, 66_000))] } }),
    "l.tar": ownBytes(repository, 66_000),
    other: ownBytes(repository, 67_000),
    "manifest.json": JSON.stringify([{ Config: "c.json", Layers: ["l.tar"] }]),
  });
  const put = async (name: string, status: number, bytes: Uint8Array) =>
    await session.step(name, status, "PUT", `/archive/${repository}:loaded`, { body: { bytes } });
  await put("push an archive", 201, archive);
  await put("push it once more", 201, archive);
  await put("push half an archive", 400, archive.subarray(0, 100_000));
}

/**
 * Does everything that the Worker can do, in a repository that has none of it yet. Leaves no upload open and nothing to
 * collect.
 */
export async function doEverything(registry: CountedRegistry, repository: string): Promise<Costs> {
  const session = new Session(registry);
  await pushBlobs(session, registry, repository);
  await mountBlobs(session, repository);
  await useManifests(session, registry, repository);
  await administer(session, registry, repository);
  // Asked for by the clock, each minute of a long request.
  await renewClaim(registry.env.DB, { id: "unknown", writer: "nobody" }, 0);
  await env.DB.prepare("UPDATE upload_sessions SET expires_at = 0 WHERE repository = ?1").bind(repository).run();
  session.note("schedule", await registry.runSchedule());
  session.note("schedule with nothing to do", await registry.runSchedule());
  return session.costs;
}
