import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { fileNameOf, formatImageName, type ImageName, parseImageName } from "../oci/image-name.ts";
import { parsePlatform } from "../oci/platform.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { readArchive } from "../registry/archive-bytes.ts";
import { type Archive, type ArchiveFormat, type ArchiveRequest, describeArchive } from "../registry/archives.ts";
import { loadArchive } from "../registry/archive-uploads.ts";
import { notePull } from "../registry/pull-counts.ts";
import { type Call, decodeParam } from "./call.ts";
import { contentResponse, isNotModified, requestedRange } from "./content.ts";

/** As many names as an address of a usual length holds. */
const IMAGES_MAX = 20;

const TAR = "application/x-tar";

/** The image of the path. `.tar` at its end is no part of its name. */
function imageOfPath(call: Pick<Call, "params">): ImageName {
  return parseImageName(decodeParam(call, "image").replace(/\.tar$/, ""));
}

/** The images that a request asks for: that of the path, and those of the parameters `image`; each once. */
function imagesOf(call: Pick<Call, "params" | "url">): ImageName[] {
  const named = [imageOfPath(call), ...call.url.searchParams.getAll("image").map(parseImageName)];
  const images = new Map(named.map((image) => [formatImageName(image), image]));
  if (images.size > IMAGES_MAX) {
    throw new OciError("REQUEST_INVALID", { message: `an archive takes at most ${IMAGES_MAX} images` });
  }
  return [...images.values()];
}

/** The repository that a request pushes to. Throws NAME_INVALID, TAG_INVALID, DIGEST_INVALID. */
export function repositoryOf(call: Pick<Call, "params">): RepositoryName {
  return imageOfPath(call).repository;
}

/** The repositories of all images that a request names. Throws NAME_INVALID, TAG_INVALID, DIGEST_INVALID, REQUEST_INVALID. */
export function repositoriesOf(call: Pick<Call, "params" | "url">): RepositoryName[] {
  return [...new Set(imagesOf(call).map(({ repository }) => repository))];
}

function parseFormat(text: string): ArchiveFormat {
  if (text === "docker" || text === "oci") return text;
  throw new OciError("REQUEST_INVALID", { message: "format is invalid: expected docker or oci" });
}

function requestOf(call: Call): ArchiveRequest {
  const { searchParams, host } = call.url;
  const platform = searchParams.get("platform");
  return {
    ...{ images: imagesOf(call), host },
    format: parseFormat(searchParams.get("format") ?? "docker"),
    platform: platform === null ? undefined : parsePlatform(platform),
  };
}

/** Of what is left out, as many digests as a header should hold. */
const SHOWN_MAX = 10;

function warningOf(leftOut: readonly Digest[]): string {
  const more = leftOut.length > SHOWN_MAX ? `, and ${leftOut.length - SHOWN_MAX} more` : "";
  return `299 - "left out, since the registry does not hold it: ${leftOut.slice(0, SHOWN_MAX).join(", ")}${more}"`;
}

function headersOf({ version, leftOut }: Archive, image: ImageName): Record<string, string> {
  return {
    "Content-Type": TAR,
    "Content-Disposition": `attachment; filename="${fileNameOf(image)}.tar"`,
    ETag: `"${version}"`,
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache, no-transform",
    ...(leftOut.length > 0 && { Warning: warningOf(leftOut) }),
  };
}

/** GET and HEAD of images as an archive, with Range and If-None-Match. */
export async function getArchive(call: Call): Promise<Response> {
  const { request, context } = call;
  const archive = await describeArchive(context, requestOf(call));
  const headers = headersOf(archive, imageOfPath(call));
  if (isNotModified(request, archive.version)) return new Response(null, { status: 304, headers });
  if (request.method === "HEAD") return contentResponse(null, headers, archive.size, undefined);
  const range = requestedRange(request, archive.version, archive.size);
  for (const { repository, manifest } of archive.pulled) notePull(context, repository, manifest);
  return contentResponse(readArchive(context, archive, range), headers, archive.size, range);
}

/** PUT of an archive that one image is taken from, to be tagged as the path says. */
export async function putArchive(call: Call): Promise<Response> {
  const { request, context, caller, url } = call;
  const { repository, reference } = imageOfPath(call);
  if (reference.kind !== "tag") {
    throw new OciError("TAG_INVALID", { message: "an archive is pushed under a tag: <name>:<tag>" });
  }
  const [image, ...others] = url.searchParams.getAll("image");
  if (others.length > 0) throw new OciError("REQUEST_INVALID", { message: "an archive is pushed one image at a time" });
  const { tag } = reference;
  const loaded = await loadArchive(context, { repository, tag, image, body: request.body, actor: caller.actor });
  const { digest } = loaded;
  return Response.json(
    { repository, tag, ...loaded },
    {
      status: 201,
      headers: { Location: `/v2/${repository}/manifests/${digest}`, "Docker-Content-Digest": digest },
    },
  );
}
