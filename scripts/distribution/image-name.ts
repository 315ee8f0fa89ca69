import { type Digest, isDigest } from "../../src/oci/digest.ts";
import { isTag } from "../../src/oci/reference.ts";
import { isRepositoryName, type RepositoryName } from "../../src/oci/repository-name.ts";
import { isTagPattern } from "../../src/policy/pattern.ts";
import { Failure } from "../local/failure.ts";

/** What people write for an image, such as `ghcr.io/acme/app:1.2`, `nginx` or `registry.example.org/app:v1.*`. */
export interface ImageName {
  /** Host and port as they are written; undefined where none is. */
  readonly host: string | undefined;
  readonly repository: RepositoryName;
  /** A tag, or a pattern of tags, in which `*` stands for any characters. */
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

export const DOCKER_HUB = "docker.io";
const DOCKER_HUB_NAMES = new Set([DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]);

/**
 * Reads a name as docker does: what comes before the first slash is a host if it has a dot or a colon, or is `localhost`.
 * A name of one segment on Docker Hub is `library/…`.
 * @throws Failure (misuse) that says what is wrong.
 */
export function parseImageName(text: string): ImageName {
  const [named = "", digest, ...more] = text.split("@");
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) {
    throw misuse(text, "after @ comes a digest, such as sha256: and 64 hexadecimal digits");
  }
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !isTag(tag) && !(tag.includes("*") && isTagPattern(tag))) {
    throw misuse(text, `'${tag}' is no tag, nor a pattern such as v1.*`);
  }
  const { host, rest } = splitHost(path);
  const repository = host === DOCKER_HUB && !rest.includes("/") ? `library/${rest}` : rest;
  if (!isRepositoryName(repository)) {
    throw misuse(text, `'${repository}' is no repository: use lower-case letters and digits, separated by . _ - or /`);
  }
  return { host, repository, tag, digest };
}

/** The host at the beginning of a path, and what is left. */
export function splitHost(path: string): { host: string | undefined; rest: string } {
  const slash = path.indexOf("/");
  const first = path.slice(0, Math.max(slash, 0));
  if (!/[.:]/.test(first) && first !== "localhost") return { host: undefined, rest: path };
  return { host: DOCKER_HUB_NAMES.has(first) ? DOCKER_HUB : first, rest: path.slice(slash + 1) };
}

/** The name of what comes from a registry that docker asks where no other is named. */
export function withDefaultHost(name: ImageName): ImageName & { readonly host: string } {
  if (name.host !== undefined) return { ...name, host: name.host };
  return { ...parseImageName(`${DOCKER_HUB}/${formatImageName(name)}`), host: DOCKER_HUB };
}

/** As {@link parseImageName} reads it. */
export function formatImageName({ host, repository, tag, digest }: ImageName): string {
  const start = host === undefined ? "" : `${host}/`;
  return `${start}${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** Whether a name stands for the tags that it matches. */
export function isPattern({ tag }: ImageName): boolean {
  return tag?.includes("*") ?? false;
}

function misuse(text: string, reason: string): Failure {
  return new Failure(`'${text}' names no image: ${reason}`, 2);
}
