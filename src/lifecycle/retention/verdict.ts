/** What a condition says of a tag. */
export interface Verdict {
  readonly holds: boolean;
  /** Why, or why not, for people: parts of a sentence. */
  readonly because: readonly string[];
}

/** Holds if each one does; else says which do not. */
export function allOf(verdicts: readonly Verdict[]): Verdict {
  const failed = verdicts.filter(({ holds }) => !holds);
  const holds = failed.length === 0;
  return { holds, because: (holds ? verdicts : failed).flatMap(({ because }) => because) };
}

/** Holds if one does, and says by which; else says why none does. */
export function anyOf(verdicts: readonly Verdict[]): Verdict {
  return verdicts.find(({ holds }) => holds) ?? { holds: false, because: verdicts.flatMap(({ because }) => because) };
}
