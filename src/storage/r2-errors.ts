/** R2's errors are told apart by a number, which the binding puts at the end of their message and nowhere else. */
function hasNumber(error: unknown, ...numbers: readonly number[]): boolean {
  return error instanceof Error && numbers.some((number) => error.message.includes(`(${number})`));
}

/** "The checksum you specified did not match what we received." */
export function isChecksumMismatch(error: unknown): boolean {
  return hasNumber(error, 10037);
}

/** "The specified multipart upload does not exist": it was completed or aborted, or R2 ended it after seven days. */
export function isNoSuchUpload(error: unknown): boolean {
  return hasNumber(error, 10024);
}

/**
 * A part is not the one that the session knows: it was sent twice, and the first came last ("One or more of the specified parts
 * could not be found"); or the parts have sizes that do not go together.
 */
export function arePartsRefused(error: unknown): boolean {
  return hasNumber(error, 10025, 10048, 10011);
}
