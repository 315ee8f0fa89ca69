/**
 * A condition of SQL: the pattern of `row`, which has the columns of a PatternRange, has no wildcard within a segment, or
 * matches the repository that `name` is. It says nothing of the range: the search of an index has to.
 */
export function globMatches(row: string, name: string): string {
  return `(${row}.glob IS NULL OR (${name} GLOB ${row}.glob AND ${row}.depth = LENGTH(${name}) - LENGTH(REPLACE(${name}, '/', ''))))`;
}

/** A condition of SQL: the set of the pattern of `row` holds the repository that `name` is. */
export function patternHolds(row: string, name: string): string {
  return `${name} >= ${row}.low AND ${name} < ${row}.high AND ${globMatches(row, name)}`;
}
