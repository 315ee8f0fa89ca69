import { parseArgs } from "node:util";

export const USAGE = `Measure Stowage beside other registries, and beside what its runtime can do at most.

  npm run bench -- [--quick] [--only NAME]... [--out FOLDER]

  --quick       a small run of half a minute, to see that all of it works
  --only NAME   this workload, or this server beside Stowage; may be given several times
  --out FOLDER  where results.json and the plots go: docs/benchmarks, or .cache/bench for less than a full run
  --help        this text

Servers that are missing are left out, and said so; with CI=true that is an error. scripts/install-tools.sh bench installs them.
`;

/** What the command line asks for. */
export interface Options {
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly out: string | undefined;
  readonly help: boolean;
}

/** Reads the command line. Throws for what it does not know. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      out: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return { ...values, out: values.out };
}

/** Those of the names that --only leaves: all, where it names none of this kind. Stowage is always one of the servers. */
export function choose<T extends { readonly name: string }>(all: readonly T[], only: readonly string[]): readonly T[] {
  const chosen = all.filter(({ name }) => only.includes(name));
  return chosen.length === 0 ? all : all.filter((each) => each.name === "stowage" || chosen.includes(each));
}

/** Refuses a name that is neither a workload's nor a server's. */
export function checkNames(only: readonly string[], known: readonly string[]): void {
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: no such thing; known are ${known.join(", ")}`);
}
