/** Milliseconds since the epoch as RFC 3339. */
export function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** {@link toTime}; null for no time. */
export function toTimeOrNull(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : toTime(ms);
}
