/** Shows what is on its way. */
export interface Progress {
  /** Something of so many bytes begins; undefined where that is not known. */
  begin(label: string, bytes: number | undefined): Step;
}

export interface Step {
  /** So many of the bytes are done. */
  readonly at: (bytes: number) => void;
  readonly end: () => void;
}

/** For who does not look. */
export const SILENCE: Progress = { begin: () => ({ at: () => undefined, end: () => undefined }) };
