/** The longest issuer that may be trusted. What tokens name is compared with it, and never longer. */
const ISSUER_LENGTH_MAX = 255;

/** URL writes an IPv6 host with its brackets. */
const LOOPBACK_HOSTS: readonly string[] = ["127.0.0.1", "[::1]", "localhost"];

/** What an issuer looks like in words, for messages. */
export const ISSUER_ADVICE =
  "use the issuer's https URL exactly as it stands in its tokens, without query, fragment or credentials; http only for 127.0.0.1, [::1] and localhost";

/** Printable ASCII after the two slashes; URL would forgive spaces, and skip a third slash. */
const ISSUER_TEXT = /^https?:\/\/(?!\/)[!-~]+$/;

/** What begins a query or a fragment, and the backslash, which URL reads as a slash. */
const NO_ISSUER_TEXT = /[?#\\]/;

/**
 * True for a URL that an issuer may have (OpenID Connect Discovery 1.0, section 3: https, no query, no fragment). It is
 * only ever compared as a text: one with a slash at the end is another issuer than one without.
 */
export function isIssuer(text: string): boolean {
  if (text.length > ISSUER_LENGTH_MAX || !ISSUER_TEXT.test(text) || NO_ISSUER_TEXT.test(text)) return false;
  if (!URL.canParse(text)) return false;
  const [, , authority = ""] = text.split("/");
  return !authority.includes("@") && isSafeTransport(new URL(text), true);
}

/** Whether nobody on the way can change what this URL answers: it is https, or, where that is allowed, stays here. */
export function isSafeTransport(url: URL, isLoopbackAllowed: boolean): boolean {
  return url.protocol === "https:" || (isLoopbackAllowed && url.protocol === "http:" && isLoopback(url));
}

/** Whether the URL is one of this machine itself. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK_HOSTS.includes(url.hostname);
}
