import { Option } from "commander";
import * as v from "valibot";
import { type Estimate, estimateMonth, type Month, type Part } from "../../../cost/estimate.ts";
import { PULL_HABITS, type PullHabitName } from "../../../cost/images.ts";
import { PRICE_SOURCES, PRICES_READ, UNIT_SIZE } from "../../../cost/prices.ts";
import { databaseBytesOf, layerBytesOf } from "../../../cost/stored.ts";
import { parseCount, parsePercent, parseSize } from "../arguments.ts";
import { pathOf } from "../client.ts";
import { example, type Noun } from "../noun.ts";
import type { Session } from "../session.ts";

const UsageSchema = v.looseObject({
  repositories: v.number(),
  objects: v.number(),
  bytes: v.number(),
  databaseBytes: v.number(),
});

/** Of a registry that is not there yet. */
const EMPTY = { bytes: 0, objects: 0 };

interface CostOptions {
  readonly pulls: number;
  readonly pushes: number;
  readonly layers: number;
  /** Bytes. */
  readonly layerSize?: number;
  /** Bytes. */
  readonly stored?: number;
  readonly cached: number;
  readonly client: PullHabitName;
}

const PRICING = `
Prices are Cloudflare's, as of ${PRICES_READ}, with what the Workers Paid plan includes. docs/cost.md tells what they are for.
`;

/** What a month costs. */
export const cost: Noun = (program, act) => {
  program
    .command("cost")
    .description("estimate what a month costs, by parts")
    .option("--pulls <number>", "pulls of an image in the month", parseCount, 0)
    .option("--pushes <number>", "pushes of an image in the month, each of new layers", parseCount, 0)
    .option("--layers <number>", "layers of an image", parseCount, 5)
    .option("--layer-size <size>", "bytes of a layer, such as 30MB (default: the mean of what is stored)", parseSize)
    .option("--stored <size>", "bytes stored, such as 1TB (default: what the registry says)", parseSize)
    .option("--cached <percent>", "how much of the content that is pulled the edge has already", parsePercent, 0)
    .addOption(new Option("--client <name>", "whose way to pull").choices(Object.keys(PULL_HABITS)).default("docker"))
    .addHelpText(
      "after",
      PRICING + example("stowage cost --pulls 2000000 --pushes 5000 --cached 90", "stowage cost --stored 1TB"),
    )
    .action(act(show));
};

async function show(session: Session, options: CostOptions): Promise<void> {
  const month = await describeMonth(session, options);
  const estimate = estimateMonth(month);
  const prices = { read: PRICES_READ, sources: PRICE_SOURCES };
  session.show({ month, ...estimate, prices }, (output) => {
    output.section(describe(month));
    output.table(["Part", "Quantity", "Included", "Price", "Dollars"], rowsOf(estimate), "");
    output.note(`Prices are of ${PRICES_READ}.`);
  });
}

/** What the options say, and the registry of the rest. One request, if any. */
async function describeMonth(session: Session, options: CostOptions): Promise<Month> {
  const { pulls, pushes, layers, cached, client: habit, stored, layerSize } = options;
  if (stored !== undefined) {
    const layerBytes = layerSize ?? layerBytesOf(EMPTY);
    const databaseBytes = databaseBytesOf(stored, layerBytes);
    return { pulls, pushes, image: { layers, layerBytes }, habit, cached, storedBytes: stored, databaseBytes };
  }
  const client = await session.connect();
  const { bytes, objects, databaseBytes } = await client.get(pathOf("usage"), UsageSchema);
  const layerBytes = layerSize ?? layerBytesOf({ bytes, objects });
  return { pulls, pushes, image: { layers, layerBytes }, habit, cached, storedBytes: bytes, databaseBytes };
}

function describe({ pulls, pushes, image, storedBytes }: Month): string {
  const done = `${formatNumber(pulls)} pulls and ${formatNumber(pushes)} pushes`;
  const images = `${image.layers} layers of ${formatNumber(image.layerBytes / 1e6)} MB`;
  return `A month with ${done} of ${images}, and ${formatNumber(storedBytes / 1e9)} GB stored`;
}

function rowsOf({ subscription, parts, dollars }: Estimate): string[][] {
  return [
    ["Workers Paid", "", "", "", subscription.toFixed(2)],
    ...parts.map((part) => [
      part.name,
      formatUnits(part, part.quantity / UNIT_SIZE[part.unit]),
      part.included === 0 ? "" : formatUnits(part, part.included),
      part.price === 0 ? "nothing" : `$${part.price} a ${part.unit}`,
      part.dollars.toFixed(2),
    ]),
    ["Together", "", "", "", dollars.toFixed(2)],
  ];
}

function formatUnits({ unit }: Part, units: number): string {
  return `${formatNumber(units)} ${unit === "million" ? "M" : "GB"}`;
}

/** `0.25`, `12,345`: bytes in steps of 1000, as they are billed. */
function formatNumber(number: number): string {
  return number.toLocaleString("en-US", { maximumFractionDigits: number < 100 ? 2 : 0 });
}
