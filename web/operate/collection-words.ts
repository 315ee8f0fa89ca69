import { formatBytes, plural } from "../format.ts";
import type { Candidate, Outcome } from "./answers.ts";

/** Why something goes, in words. */
export const REASONS: Readonly<Record<Candidate["reason"], string>> = {
  untagged: "no tag and no index holds it",
  deleted: "it was deleted",
  unreferenced: "no manifest of the repository needs it",
  unlinked: "no repository holds it",
};

/** What a run took. */
export function describeOutcome({ manifests, links, blobs, marked, condemned, bytes }: Outcome): string {
  const taken = [
    ...(manifests > 0 ? [plural(manifests, "manifest")] : []),
    ...(links > 0 ? [plural(links, "link")] : []),
    ...(blobs > 0 ? [plural(blobs, "blob")] : []),
  ];
  const begun = [
    ...(marked > 0 ? [plural(marked, "manifest")] : []),
    ...(condemned > 0 ? [plural(condemned, "blob")] : []),
  ];
  const parts = [
    ...(taken.length > 0 ? [`${taken.join(", ")} taken, ${formatBytes(bytes)} freed`] : []),
    ...(begun.length > 0 ? [`the time of ${begun.join(" and ")} has begun`] : []),
  ];
  return parts.length === 0 ? "nothing was due" : parts.join("; ");
}

/** Whether a run did anything at all. */
export const isNothing = (outcome: Outcome): boolean => Object.values(outcome).every((count) => count === 0);
