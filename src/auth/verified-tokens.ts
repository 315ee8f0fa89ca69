import { AgedCache } from "../aged-cache.ts";
import type { Config } from "../config.ts";
import type { Token } from "./token.ts";

/** A token that was verified, and the seconds of the epoch between which it is valid. */
export interface VerifiedToken {
  readonly token: Token;
  readonly notBefore: number;
  readonly expiresAt: number;
}

/** What an isolate remembers: some thousand callers of the last minutes. */
const BOUNDS = { entries: 2_000, bytes: 4_000_000 };

/** The parsed claims take about as much as the text, which is ASCII. */
const BYTES_PER_CHARACTER = 2;

const tokensOf = new WeakMap<Config, AgedCache<VerifiedToken>>();

function remembered(config: Config): AgedCache<VerifiedToken> {
  const known = tokensOf.get(config);
  if (known) return known;
  const made = new AgedCache<VerifiedToken>(BOUNDS);
  tokensOf.set(config, made);
  return made;
}

/**
 * The token that this text was when it was verified, if it is valid at `now`, in milliseconds. A client sends the same token
 * with each request for minutes, and to verify it takes longer than all else that a warm pull does. Other secrets are another
 * `config`, which remembers nothing of this one. The map is no oracle: its time depends on the whole text, by a hash.
 */
export function recallToken(config: Config, text: string, now: number): Token | undefined {
  const known = remembered(config).get(text, -Infinity);
  const seconds = Math.floor(now / 1000);
  return known && seconds >= known.notBefore && seconds < known.expiresAt ? known.token : undefined;
}

/** Remembers a token whose signature and claims were verified. */
export function rememberToken(config: Config, text: string, verified: VerifiedToken, now: number): void {
  remembered(config).put(text, verified, now, text.length * BYTES_PER_CHARACTER);
}
