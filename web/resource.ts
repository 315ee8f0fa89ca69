import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/** Something that the registry was asked for. */
export interface Resource<T> {
  /** What is known of it: of this key, or of the one before while this one loads, if `keep` says so. */
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
  /** Asks again. */
  readonly reload: () => void;
}

/** What was told last, so that the way back is instant. */
const known = new Map<string, unknown>();
const KNOWN_MAX = 200;

/** Another person sees other things. */
export function forgetResources(): void {
  known.clear();
}

function remember(key: string, value: unknown): void {
  known.delete(key);
  known.set(key, value);
  const [oldest] = known.keys();
  if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
}

interface State<T> {
  readonly key: string | undefined;
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
}

/**
 * Loads something by a key that names it, and again whenever the key changes; undefined: nothing for now. What was known under the
 * key is there at once, and what comes replaces it.
 * @param keep whether the value of another key stays until this one's is there: a list, while somebody types.
 */
export function useResource<T>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<T>,
  keep = false,
): Resource<T> {
  const [state, setState] = useState<State<T>>({ key: undefined, data: undefined, error: undefined, isLoading: true });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => {
    if (key === undefined) return undefined;
    const controller = new AbortController();
    setState((before) => {
      const data = (known.get(key) as T | undefined) ?? (keep || before.key === key ? before.data : undefined);
      return { key, data, error: undefined, isLoading: true };
    });
    latest.current(controller.signal).then(
      (data) => {
        if (controller.signal.aborted) return;
        remember(key, data);
        setState({ key, data, error: undefined, isLoading: false });
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        known.delete(key);
        setState({
          key,
          data: undefined,
          error: error instanceof Error ? error : new Error(String(error)),
          isLoading: false,
        });
      },
    );
    return () => controller.abort();
  }, [key, keep, round]);

  const reload = useCallback(() => setRound((before) => before + 1), []);
  // The first paint after the key changed comes before the effect: what is known is shown already.
  const isCurrent = state.key === key;
  const data = isCurrent ? state.data : ((key === undefined ? undefined : known.get(key)) as T | undefined);
  return {
    data: data ?? (keep ? state.data : undefined),
    error: isCurrent ? state.error : undefined,
    isLoading: key !== undefined && (!isCurrent || state.isLoading),
    reload,
  };
}
