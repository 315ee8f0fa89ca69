import type { Digest } from "../../oci/digest.ts";
import type { Tag } from "../../oci/reference.ts";

/** A tag as retention sees it. Times are milliseconds since the epoch. */
export interface TagState {
  readonly tag: Tag;
  readonly digest: Digest;
  /** When it was last pushed: a tag that moves is as new as its last move. */
  readonly pushedAt: number;
  /** When what it names was last pulled, as far as that is recorded: it may have been before the tag moved there. */
  readonly pulledAt?: number | undefined;
  readonly immutable: boolean;
}
