/**
 * What src does today and should not, found by the simulation: the client gets a 500 or the bucket keeps bytes for a week, and
 * nothing is lost. They would hide what is new. `npm run simulate -- --strict` counts them as violations. To be emptied.
 */
const THROWN: readonly string[] = [
  // R2: no such multipart upload. An upload is gone on with whose multipart upload was completed by a request that then failed to
  // commit, or was aborted after its session had been cancelled.
  "(10024)",
  // R2: a part is not the one of its etag. A part whose answer was lost, or whose sender had lost its hold, came after it was
  // sent again.
  "(10025)",
];

let isStrict = false;

/** From now on, known defects are violations. */
export function beStrict(): void {
  isStrict = true;
}

/** Whether an error of an operation is one of them. */
export function isKnownDefect(error: unknown): boolean {
  return !isStrict && error instanceof Error && THROWN.some((text) => error.message.includes(text));
}

/**
 * A run of the schedule takes an abort that failed for one of an upload that is gone, and forgets it. R2 itself ends the multipart
 * upload after seven days.
 */
export function mayForgetAborts(): boolean {
  return !isStrict;
}
