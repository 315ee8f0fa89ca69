import { matchesWildcards } from "./wildcard.ts";

/** The claims of a token (RFC 7519, section 4): JSON that its issuer vouches for. */
export type Claims = Readonly<Record<string, unknown>>;

function isClaims(value: unknown): value is Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The value of a claim: that of exactly this name, else what lies at the end of the dotted path, where a name may hold
 * dots itself (`kubernetes.io.namespace`). The longest name wins at each step. Only what the token holds is found, and
 * nothing that JavaScript's objects bring along.
 */
export function claimValue(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const name = path.slice(0, dot);
    const inner = Object.hasOwn(claims, name) ? claims[name] : undefined;
    const value = isClaims(inner) ? claimValue(inner, path.slice(dot + 1)) : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

/**
 * A string, a number or a boolean as text; undefined for anything else. So is a whole number that JavaScript cannot hold
 * exactly: two different ones in tokens would be the same here.
 */
export function claimText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number") return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}

/** Whether the value, or an element of the list that it is, matches a pattern of {@link matchesWildcards}. */
export function matchesClaim(pattern: string, value: unknown): boolean {
  return [value].flat().some((element) => {
    const text = claimText(element);
    return text !== undefined && matchesWildcards(pattern, text);
  });
}
