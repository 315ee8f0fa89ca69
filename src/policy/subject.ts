/**
 * Whom a rule grants something: an account, an access token, the identities that a trust rule lets in, or anyone at all.
 */
export type Subject = "anyone" | `account:${string}` | `token:${string}` | `oidc:${string}`;

/** Accounts, access tokens and trust rules are named alike: a subject, a URL and a command line hold them as they are. */
const NAME_PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;

/** What a name looks like in words, for messages. */
export const NAME_ADVICE = "use up to 64 lower-case letters and digits, with . _ - between them";

/** True for a valid name of an account, an access token or a trust rule. */
export function isSubjectName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

const KINDS: readonly string[] = ["account", "token", "oidc"];

/** True for a valid subject, whether or not there is one of that name. */
export function isSubject(text: string): text is Subject {
  if (text === "anyone") return true;
  const colon = text.indexOf(":");
  return KINDS.includes(text.slice(0, colon)) && isSubjectName(text.slice(colon + 1));
}
