// Addresses of pages. References are written as docker writes them, so that no name of a repository can be taken for more than
// a name: `/r/team/app`, `/r/team/app:1.2`, `/r/team/app@sha256:…`.

/** A repository, or what a tag or digest in it names. */
export interface Address {
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** `team/app:1.2` → its parts. */
export function parseAddress(text: string): Address {
  const at = text.indexOf("@");
  if (at >= 0) return { name: text.slice(0, at), digest: text.slice(at + 1) };
  const colon = text.lastIndexOf(":");
  // A colon before a slash is that of a port, which no repository here has.
  if (colon > text.lastIndexOf("/")) return { name: text.slice(0, colon), tag: text.slice(colon + 1) };
  return { name: text };
}

/** The parts as one text again. */
export function formatAddress({ name, tag, digest }: Address): string {
  if (digest !== undefined) return `${name}@${digest}`;
  return tag === undefined ? name : `${name}:${tag}`;
}

/** The tag or digest, as the registry's API takes it. */
export const referenceOf = ({ tag, digest }: Address): string => digest ?? tag ?? "";

/** The page of it. */
export const pageOf = (address: Address): string => `/r/${formatAddress(address)}`;

/** The page that compares two. */
export const comparisonOf = (from: Address, to: Address): string =>
  `/compare?from=${encodeURIComponent(formatAddress(from))}&to=${encodeURIComponent(formatAddress(to))}`;

/** What a client calls it: with this registry's host. */
export const imageName = (address: Address): string => `${location.host}/${formatAddress(address)}`;
