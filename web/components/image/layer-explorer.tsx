import { ErrorBoundary, lazy } from "preact-iso";
import type { Descriptor } from "../../image/manifest.ts";

const Explorer = lazy(async () => (await import("./layer-content.tsx")).LayerContent);

interface Props {
  readonly name: string;
  readonly layer: Descriptor;
  /** The layers that it lies upon, the lowest first. */
  readonly below: readonly Descriptor[];
}

/** The files of a layer. What reads them comes when it is first asked for. */
export function LayerExplorer(props: Props) {
  return (
    <ErrorBoundary>
      <Explorer {...props} />
    </ErrorBoundary>
  );
}
