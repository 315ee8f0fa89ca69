import { useEffect, useRef, useState } from "preact/hooks";
import type { Descriptor } from "../manifest.ts";
import { applyLayer, type Changes, compareWithBelow } from "./changes.ts";
import type { LayerEntry } from "./entry.ts";
import { loadLayer } from "./load.ts";
import { Tree } from "./tree.ts";

/** How far the looking into a layer is. */
export type LayerState =
  | { readonly phase: "closed" }
  | { readonly phase: "reading"; readonly bytes: number; readonly ofBytes: number; readonly entries: number }
  | { readonly phase: "open"; readonly opened: OpenedLayer; readonly changes: Changes | undefined }
  | { readonly phase: "failed"; readonly error: Error };

/** A layer that was read. */
export interface OpenedLayer {
  readonly tree: Tree;
  readonly entries: readonly LayerEntry[];
  /** True where it, or a layer below that it was compared with, has more files than the page keeps. */
  readonly isCut: boolean;
}

interface Layer {
  readonly state: LayerState;
  /** Reads the layer. */
  readonly open: () => void;
  /** Reads the layers below, and marks what this one changes. */
  readonly compare: () => void;
  readonly cancel: () => void;
}

/** Reports come with each piece of a layer; the page need not be drawn as often. */
const REPORT_MS = 100;

/** The reading of a layer of an image; it ends with the component that asked for it. */
export function useLayer(name: string, layer: Descriptor, below: readonly Descriptor[]): Layer {
  const [state, setState] = useState<LayerState>({ phase: "closed" });
  const reading = useRef<AbortController>(undefined);
  useEffect(() => () => reading.current?.abort(), []);

  const begin = (before: LayerState, work: (signal: AbortSignal) => Promise<LayerState>) => {
    reading.current?.abort();
    const controller = new AbortController();
    reading.current = controller;
    work(controller.signal).then(setState, (problem: unknown) => {
      if (reading.current !== controller) return;
      if (controller.signal.aborted) setState(before);
      else setState({ phase: "failed", error: problem instanceof Error ? problem : new Error(String(problem)) });
    });
  };
  const open = () =>
    begin({ phase: "closed" }, async (signal) => {
      const tree = new Tree();
      let entries: readonly LayerEntry[] = [];
      const isCut = await readLayers(name, [layer], signal, setState, (found) => {
        entries = found;
        for (const entry of found) tree.add(entry);
      });
      const opened = { tree, entries, isCut: isCut || tree.isFull };
      return { phase: "open", opened, changes: undefined };
    });
  const compare = () => {
    if (state.phase !== "open") return;
    const { opened } = state;
    begin(state, async (signal) => {
      const merged = new Tree();
      const isCut = await readLayers(name, below, signal, setState, (found) => applyLayer(merged, found));
      const changes = compareWithBelow(merged, opened.entries);
      const hasMore = opened.isCut || isCut || merged.isFull || changes.tree.isFull;
      return { phase: "open", opened: { ...opened, isCut: hasMore }, changes };
    });
  };
  return { state, open, compare, cancel: () => reading.current?.abort() };
}

/** Reads layers, one after the other. Answers whether one of them has more than is kept. */
async function readLayers(
  name: string,
  layers: readonly Descriptor[],
  signal: AbortSignal,
  onState: (state: LayerState) => void,
  onLayer: (entries: readonly LayerEntry[]) => void,
): Promise<boolean> {
  const ofBytes = bytesOf(layers);
  const before = { bytes: 0, entries: 0 };
  let reported = 0;
  let isCut = false;
  onState({ phase: "reading", ofBytes, ...before });
  for (const layer of layers) {
    const loaded = await loadLayer(name, layer, signal, ({ bytes, entries }) => {
      if (Date.now() - reported < REPORT_MS) return;
      reported = Date.now();
      onState({ phase: "reading", ofBytes, bytes: before.bytes + bytes, entries: before.entries + entries });
    });
    before.bytes += layer.size;
    before.entries += loaded.entries.length;
    isCut ||= loaded.isCut;
    onLayer(loaded.entries);
  }
  return isCut;
}

/** How much has to be read of several layers. */
export const bytesOf = (layers: readonly Descriptor[]): number => layers.reduce((sum, { size }) => sum + size, 0);
