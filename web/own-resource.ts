import { type Resource, useResource } from "./resource.ts";
import { useSession } from "./session.tsx";

/**
 * {@link useResource} of what each caller is shown otherwise: it waits until it is known who that is, so that nothing is asked for
 * twice, and is another for another caller.
 */
export function useOwnResource<T>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<T>,
  keep = false,
): Resource<T> {
  const { caller } = useSession();
  const isKnown = key !== undefined && caller !== undefined;
  return useResource(isKnown ? `${key} of ${caller?.actor ?? "anyone"}` : undefined, load, keep);
}
