import { OciError } from "./error.ts";

/** A valid repository name, the spec's `<name>`. */
export type RepositoryName = string & { readonly __brand: "RepositoryName" };

/** Distribution spec, "Pulling manifests": the pattern that `<name>` MUST match. */
const NAME_PATTERN = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** Host and name together must stay below 256 characters for many clients; the name alone is held to it here. */
const NAME_LENGTH_MAX = 255;

/** True for a text that {@link parseRepositoryName} accepts. */
export function isRepositoryName(text: string): text is RepositoryName {
  return text.length <= NAME_LENGTH_MAX && NAME_PATTERN.test(text);
}

/** Throws NAME_INVALID. Takes the name as it stands in the path: a percent escape in it is invalid. */
export function parseRepositoryName(text: string): RepositoryName {
  if (isRepositoryName(text)) return text;
  const message =
    text.length > NAME_LENGTH_MAX
      ? `repository name is longer than ${NAME_LENGTH_MAX} characters`
      : "repository name is invalid: use lower-case letters and digits, separated by one of . _ __ - or /";
  throw new OciError("NAME_INVALID", { message, detail: { name: text.slice(0, NAME_LENGTH_MAX) } });
}
