import type { RepositoryName } from "../oci/repository-name.ts";
import { type Rule, selectRulesFor, toRules } from "./policy.ts";
import type { Reader } from "./reader.ts";
import type { Visibility } from "./repositories.ts";

/** Someone who asks for something of a repository, and may see it or not. */
export interface Asker {
  readonly visibility: Visibility;
  readonly repository: RepositoryName;
}

/** What was found, and the rules, of the same moment, by which whoever asked may see it or not: that is still to be decided. */
export interface Ruled<T> {
  readonly rules: readonly Rule[];
  readonly found: T;
}

/** Asks for something of a repository and for the rules that could matter for who asks. One round trip. */
export async function askWithRules(
  db: Reader,
  { visibility, repository }: Asker,
  statements: readonly D1PreparedStatement[],
): Promise<{ rules: Rule[]; results: D1Result[] }> {
  const subjects = visibility === "all" ? [] : visibility.subjects;
  const [rules, ...results] = await db.batch([selectRulesFor(db, subjects, repository), ...statements]);
  return { rules: toRules(rules), results };
}
