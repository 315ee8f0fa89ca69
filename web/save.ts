import { useState } from "preact/hooks";

/** A change on its way to the registry. */
export interface Save {
  /** Does it, unless it is being done. */
  readonly save: () => Promise<void>;
  readonly isBusy: boolean;
  /** Whether the last one went well. */
  readonly isDone: boolean;
  readonly error: Error | undefined;
}

/** Does a change when asked to, and knows how it went. */
export function useSave(work: () => Promise<void>): Save {
  const [state, setState] = useState<Omit<Save, "save">>({ isBusy: false, isDone: false, error: undefined });
  const save = async () => {
    if (state.isBusy) return;
    setState({ isBusy: true, isDone: false, error: undefined });
    try {
      await work();
      setState({ isBusy: false, isDone: true, error: undefined });
    } catch (problem) {
      const error = problem instanceof Error ? problem : new Error(String(problem));
      setState({ isBusy: false, isDone: false, error });
    }
  };
  return { save, ...state };
}
