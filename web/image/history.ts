import type { HistoryEntry } from "./config.ts";
import type { Descriptor } from "./manifest.ts";

/** One step of how an image was made: an entry of its history, the layer that it made, or both. */
export interface Step {
  /** As a Dockerfile has it; undefined for a layer that the history does not tell of. */
  readonly command: string | undefined;
  readonly created: string | undefined;
  readonly comment: string | undefined;
  /** True where it changed nothing but the config. */
  readonly isEmpty: boolean;
  readonly layer: Descriptor | undefined;
  /** Which layer of the image, from 0 at the bottom. */
  readonly position: number | undefined;
}

/**
 * Finds the layer of each step: those steps that are not empty made the layers, in order. A layer without a step is a step of its own;
 * a step without a layer, in an image that was squashed, stays without.
 */
export function matchHistory(history: readonly HistoryEntry[], layers: readonly Descriptor[]): Step[] {
  let used = 0;
  const steps = history.map((entry): Step => {
    const position = entry.empty_layer || used >= layers.length ? undefined : used++;
    return {
      command: entry.created_by === undefined ? undefined : readableCommand(entry.created_by),
      created: entry.created,
      comment: entry.comment,
      isEmpty: entry.empty_layer,
      layer: position === undefined ? undefined : layers[position],
      position,
    };
  });
  const rest = layers.slice(used).map((layer, index): Step => {
    return {
      ...{ command: undefined, created: undefined, comment: undefined },
      ...{ isEmpty: false, layer, position: used + index },
    };
  });
  return [...steps, ...rest];
}

/** Arguments of the build that a RUN saw: `|1 VERSION=2 /bin/sh -c …`. */
const BUILD_ARGUMENTS = /^\|\d+ .*?(?=\/bin\/\w+ -\w*c )/s;
const SHELL = /^\/bin\/\w+ -\w*c /;

/**
 * What a builder noted of a step, as its author wrote it: without the shell that Docker puts around RUN, the mark `#(nop)` of steps that
 * ran nothing, and BuildKit's signature. A line that was continued is broken where it was.
 */
export function readableCommand(createdBy: string): string {
  const text = createdBy.replace(/\s+# buildkit$/, "").trim();
  const run = text.replace(/^RUN /, "").replace(BUILD_ARGUMENTS, "");
  const script = run.replace(SHELL, "");
  if (script === run) return breakLines(text);
  const nop = /^#\(nop\)\s+/.exec(script);
  return breakLines(nop ? script.slice(nop[0].length).replaceAll(CHECKSUM, "$1…") : `RUN ${script.trim()}`);
}

/** Docker names what it copied by a checksum that nothing else knows. */
const CHECKSUM = /\b((?:file|dir|multi):[0-9a-f]{12})[0-9a-f]{52}\b/g;

/** Docker joins continued lines and leaves their indentation. */
const breakLines = (command: string): string =>
  command.replaceAll(/(?<=\S)(?:[ \t]*\t[ \t]*|[ \t]{3,})(?=\S)/g, "\n    ");
