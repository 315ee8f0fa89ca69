export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What an Authorization header says by Basic. */
export type BasicAuthorization = Credentials | "none" | "malformed";

/**
 * RFC 7617. None in a header of another scheme, and in the empty pair that Docker sends when nobody is logged in. Malformed
 * ones are not none: who sends them means to be someone, and is to hear that they cannot be read.
 */
export function parseBasic(authorization: string | null): BasicAuthorization {
  const given = /^basic(?: (.*))?$/i.exec(authorization ?? "");
  if (!given) return "none";
  const pair = decode((given[1] ?? "").trim());
  const colon = pair?.indexOf(":") ?? -1;
  if (pair === undefined || colon < 0) return "malformed";
  return pair === ":" ? "none" : { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

/** Base64, with or without padding, of UTF-8. Undefined for anything else. */
function decode(encoded: string): string | undefined {
  if (!/^[A-Za-z0-9+/=]+$/.test(encoded)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.fromBase64(encoded));
  } catch {
    return undefined;
  }
}

/** What whoever sent malformed ones hears. */
export const MALFORMED_BASIC = "the Basic credentials are malformed";
