/** What is looked for, in the words of SQLite's full-text search. */
export interface SearchTerm {
  /** As names are written: in small letters, without what surrounds it. Empty: everything. */
  readonly text: string;
  /** A phrase for an index of the trigrams of names; undefined where the text is too short to have one. */
  readonly part: string | undefined;
  /** All words, each of which may be the beginning of one; undefined where there are none. */
  readonly words: string | undefined;
}

/** A longer text is cut, and more words are left out: nobody misses what they would exclude. */
const TEXT_MAX_LENGTH = 255;
const WORDS_MAX = 8;

/** The least that an index of trigrams finds. */
const TRIGRAM = /^.{3}/su;

/** FTS5, "Full-text Query Syntax": within quotes nothing has a meaning but a quote, which is doubled. */
const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** What a client looks for. Whatever it sends is a valid term: it is words, never syntax. */
export function toSearchTerm(query: string): SearchTerm {
  const text = query.replaceAll("\0", " ").toWellFormed().trim().toLowerCase().slice(0, TEXT_MAX_LENGTH).toWellFormed();
  // A phrase without a letter or digit has no words for FTS5, and would let nothing be found beside it.
  const words = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const phrases = words.slice(0, WORDS_MAX).map((word) => `${quote(word)}*`);
  return {
    text,
    part: TRIGRAM.test(text) ? quote(text) : undefined,
    words: phrases.length === 0 ? undefined : phrases.join(" AND "),
  };
}
