/** A text in a file of src, and what the simulation runs instead. It must be there, once. */
export interface Replacement {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Objects that one run of the schedule compares with the database. */
export const AUDIT_PAGE = 8;

/**
 * Sizes that make a history of a hundred bytes go every way that gigabytes go: parts, tails in rows and in objects, streamed
 * puts, manifests in R2, and batches that leave something for the next run. Nothing else of src is changed.
 */
export const SCALE: readonly Replacement[] = [
  { file: "oci/upload-session.ts", from: "PART_SIZE_BYTES = 6 * 1024 * 1024", to: "PART_SIZE_BYTES = 32" },
  { file: "oci/upload-session.ts", from: "PART_SIZE_MIN_BYTES = 5 * 1024 * 1024", to: "PART_SIZE_MIN_BYTES = 24" },
  { file: "storage/tail.ts", from: "INLINE_MAX_BYTES = 64 * 1024", to: "INLINE_MAX_BYTES = 8" },
  { file: "storage/body-reader.ts", from: "READ_SIZE_BYTES = 256 * 1024", to: "READ_SIZE_BYTES = 12" },
  { file: "registry/uploads.ts", from: "STREAMED_PUT_MIN_BYTES = 64 * 1024", to: "STREAMED_PUT_MIN_BYTES = 16" },
  { file: "registry/manifests.ts", from: "INLINE_MAX_BYTES = 900_000", to: "INLINE_MAX_BYTES = 1_200" },
  { file: "lifecycle/upload-expiry.ts", from: "BATCH = 100", to: "BATCH = 2" },
  { file: "lifecycle/discarded-objects.ts", from: "BATCH = 500", to: "BATCH = 3" },
  { file: "lifecycle/collection.ts", from: "BATCH = 200", to: "BATCH = 2" },
  { file: "lifecycle/collection.ts", from: "STEPS_ON_REQUEST = 20", to: "STEPS_ON_REQUEST = 3" },
  { file: "lifecycle/tag-expiry.ts", from: "BATCH = 200", to: "BATCH = 1" },
  { file: "lifecycle/retention-rounds.ts", from: "ROUND_MS = 6 * 3_600_000", to: "ROUND_MS = 900_000" },
  { file: "lifecycle/retention-rounds.ts", from: "CASES_MAX = 20", to: "CASES_MAX = 1" },
  { file: "lifecycle/retention-turns.ts", from: "PAGE = 100", to: "PAGE = 1" },
  { file: "lifecycle/retention-reports.ts", from: "REMOVED_AT_ONCE = 2_000", to: "REMOVED_AT_ONCE = 1" },
  { file: "lifecycle/bucket-audit.ts", from: "PAGE = 1_000", to: `PAGE = ${AUDIT_PAGE}` },
  { file: "lifecycle/bucket-audit.ts", from: "AGE_MS = 86_400_000", to: "AGE_MS = 7_200_000" },
];

/** The text of a file with its replacements. Throws when src has changed so that one does not fit any more. */
export function replaceIn(file: string, text: string, replacements: readonly Replacement[]): string {
  return replacements
    .filter((replacement) => replacement.file === file)
    .reduce((changed, { from, to }) => {
      const parts = changed.split(from);
      if (parts.length !== 2) throw new Error(`src/${file} holds ${parts.length - 1} times, not once: ${from}`);
      return parts.join(to);
    }, text);
}
