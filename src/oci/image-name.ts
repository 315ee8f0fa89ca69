import { digestHex } from "./digest.ts";
import { OciError } from "./error.ts";
import { parseReference, type Reference } from "./reference.ts";
import { parseRepositoryName, type RepositoryName } from "./repository-name.ts";

/** An image of this registry, as clients name it after the host. */
export interface ImageName {
  readonly repository: RepositoryName;
  readonly reference: Reference;
}

/** `<name>:<tag>` or `<name>@<digest>`. Throws NAME_INVALID, TAG_INVALID, DIGEST_INVALID. */
export function parseImageName(text: string): ImageName {
  const at = text.indexOf("@");
  const mark = at < 0 ? text.lastIndexOf(":") : at;
  if (mark < 0) throw new OciError("TAG_INVALID", { message: "which image? Name its tag too: <name>:<tag>" });
  const reference = parseReference(text.slice(mark + 1));
  if ((reference.kind === "digest") !== (text[mark] === "@")) {
    throw new OciError("TAG_INVALID", { message: "name an image as <name>:<tag> or <name>@<digest>" });
  }
  return { repository: parseRepositoryName(text.slice(0, mark)), reference };
}

export function formatImageName({ repository, reference }: ImageName): string {
  return reference.kind === "tag" ? `${repository}:${reference.tag}` : `${repository}@${reference.digest}`;
}

/** A name for a file that holds the image, without an extension: no character of it means anything to a header or a shell. */
export function fileNameOf({ repository, reference }: ImageName): string {
  const version = reference.kind === "tag" ? reference.tag : digestHex(reference.digest).slice(0, 12);
  return `${repository.replaceAll("/", "-")}-${version}`;
}
