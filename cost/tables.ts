import { type Calls, CALL_KINDS, NO_CALLS } from "./calls.ts";
import { priceOf } from "./estimate.ts";
import { type Image, PULL_HABITS, type PullHabitName, pullOf, pushOf } from "./images.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import { egressPrice, PEERS } from "./peers.ts";
import { PRICES, type Price } from "./prices.ts";

/** The image of the examples: 100 MB. */
const IMAGE: Image = { layers: 5, layerBytes: 20_000_000 };
const IMAGE_GB = (IMAGE.layers * IMAGE.layerBytes) / 1e9;

const MILLION = 1_000_000;
const TERABYTE_GB = 1_000;

const NOT_BILLED = "not billed by it";

type Rows = readonly (readonly string[])[];

function markdown(head: readonly string[], rows: Rows): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const dollars = (amount: number) =>
  `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

const aMillionTimes = (calls: Calls, pushedBytes = 0) => dollars(MILLION * priceOf(calls, pushedBytes));

/** `3`, or `3 + 1 each part`. */
function cellsOf({ calls, each }: Operation): string[] {
  const added = each?.calls ?? NO_CALLS;
  return CALL_KINDS.map((kind) => (added[kind] === 0 ? String(calls[kind]) : `${calls[kind]} + ${added[kind]} each`));
}

function operations(): string {
  const rows = Object.values(OPERATIONS).map((operation: Operation) => {
    const { does, calls, each } = operation;
    return [each ? `${does}; for each ${each.of} more` : does, ...cellsOf(operation), aMillionTimes(calls)];
  });
  const head = [
    "to",
    "requests",
    "class A",
    "class B",
    "D1 round trips",
    "rows read",
    "rows written",
    "a million times",
  ];
  return markdown(head, rows);
}

function images(): string {
  const row = (what: string, calls: Calls, pushedBytes = 0) => [
    what,
    ...CALL_KINDS.map((kind) => String(calls[kind])),
    aMillionTimes(calls, pushedBytes),
  ];
  const habits = Object.entries(PULL_HABITS).flatMap(([name, { clients }]) => [
    row(`pull by ${clients}; all content in the edge's cache`, pullOf(IMAGE, name as PullHabitName, 1)),
    row("the same, nothing in the cache", pullOf(IMAGE, name as PullHabitName, 0)),
  ]);
  const push = row("push as docker does, all of it new", pushOf(IMAGE), IMAGE.layers * IMAGE.layerBytes);
  return markdown(
    [
      "an image of 5 layers of 20 MB",
      "requests",
      "class A",
      "class B",
      "D1 round trips",
      "rows read",
      "rows written",
      "a million",
    ],
    [...habits, push],
  );
}

function prices(): string {
  const rows = Object.values(PRICES).map(({ name, unit, dollars: price, included }: Price) => [
    name,
    price === 0 ? "$0" : `$${price} a ${unit}`,
    included === 0 ? "" : `${included.toLocaleString("en-US")} ${unit === "million" ? "million" : "GB"}`,
  ]);
  return markdown(["", "price", "included each month"], rows);
}

function peers(): string {
  const pulls = (habit: PullHabitName) => aMillionTimes(pullOf(IMAGE, habit, 1));
  const rows = PEERS.map(({ name, storage, egress, besides, source }) => [
    name,
    storage === undefined ? NOT_BILLED : dollars(TERABYTE_GB * storage),
    egress === undefined ? NOT_BILLED : dollars(egressPrice(egress, MILLION * IMAGE_GB)),
    besides,
    source,
  ]);
  const own = [
    ...["Stowage", dollars(TERABYTE_GB * PRICES.storedBytes.dollars), `${pulls("containerd")} to ${pulls("docker")}`],
    ...["$5 a month, which include 10 million requests", "above"],
  ];
  const head = ["", "1 TB stored for a month", "1 million pulls of 100 MB, from the internet", "besides", "read in"];
  return markdown(head, [own, ...rows]);
}

/** The tables of docs/cost.md, by the name in the comments between which they stand. */
const TABLES: Readonly<Record<string, () => string>> = { operations, images, prices, peers };

/** A text with each table as it is now, between `<!-- name -->` and `<!-- end of name -->`. */
export function fillTables(text: string): string {
  return Object.entries(TABLES).reduce((filled, [name, table]) => {
    const [begin, end] = [`<!-- ${name} -->\n`, `\n<!-- end of ${name} -->`];
    const [from, to] = [filled.indexOf(begin), filled.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`there is no place for the table ${name}`);
    return filled.slice(0, from + begin.length) + table() + filled.slice(to);
  }, text);
}
