import { plain } from "../stowage/text.ts";
import type { Progress } from "../transfer/progress.ts";

/** A layer, or another blob, that came through. */
export interface Finished {
  readonly repository: string;
  readonly digest: string;
  readonly bytes: number;
  /** From the start of the upload on. */
  readonly seconds: number;
}

/** What came to nothing, as its client was told. */
export interface Broken {
  readonly repository: string;
  readonly error: string;
}

/** What the relay tells of its work. */
export interface Report extends Progress {
  finished(blob: Finished): void;
  broken(upload: Broken): void;
}

/** `team/web  upload 3f2a61c0`, for a body whose digest its client does not say yet. */
export function labelOf(repository: string, id: string, digest: string | null): string {
  return plain(`${repository}  ${digest === null ? `upload ${id.slice(0, 8)}` : digest.slice(0, 19)}`);
}
