export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * RFC 7617. Undefined for a header of another scheme or form, and for the empty pair that Docker sends when nobody is
 * logged in.
 */
export function parseBasic(authorization: string | null): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  let pair: string;
  try {
    pair = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.fromBase64(encoded));
  } catch {
    return undefined;
  }
  const colon = pair.indexOf(":");
  if (colon < 0 || pair === ":") return undefined;
  return { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}
