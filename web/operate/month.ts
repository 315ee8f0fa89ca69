import { type Estimate, estimateMonth, type Month } from "../../cost/estimate.ts";
import { PULL_HABITS, type PullHabitName } from "../../cost/images.ts";
import { databaseBytesOf, layerBytesOf } from "../../cost/stored.ts";
import type { AuditEvent, Usage } from "./answers.ts";
import { objection } from "./problems.ts";

const DAY_MS = 86_400_000;
const MONTH_MS = 30 * DAY_MS;

/** What is known of a month before anybody says otherwise. */
export interface Known {
  readonly usage: Usage;
  readonly pulls: number;
  readonly pushes: number;
}

/**
 * Pulls of a month: of each repository those counted so far, by its age. One that is younger than a month has had no more than
 * it had.
 */
export function pullsOfMonth(
  repositories: readonly { readonly pulls: number; readonly createdAt: string }[],
  now: number,
): number {
  const pulls = repositories.map(
    (repository) => (repository.pulls * MONTH_MS) / Math.max(now - Date.parse(repository.createdAt), MONTH_MS),
  );
  return Math.round(pulls.reduce((sum, count) => sum + count, 0));
}

/** When the month began that {@link pushesOfMonth} counts. */
export const monthAgo = (now: number): string => new Date(now - MONTH_MS).toISOString();

/**
 * Pushes of a month, by the newest of its pushes: all of them, or as many as a page holds, from which the rest is inferred; of those
 * of a day at least, as a burst of minutes says nothing of a month.
 */
export function pushesOfMonth(newest: readonly Pick<AuditEvent, "occurredAt">[], isAll: boolean, now: number): number {
  const oldest = newest.at(-1);
  if (isAll || oldest === undefined) return newest.length;
  const span = Math.max(now - Date.parse(oldest.occurredAt), DAY_MS);
  return Math.round((newest.length * MONTH_MS) / span);
}

/** What the form of a month holds. */
export interface MonthDraft {
  readonly pulls: string;
  readonly pushes: string;
  readonly layers: string;
  readonly layerMegabytes: string;
  readonly storedGigabytes: string;
  readonly cachedPercent: string;
  readonly habit: PullHabitName;
}

const LAYERS = 5;

/** The month as it is likely to be. */
export function draftOfMonth({ usage, pulls, pushes }: Known): MonthDraft {
  return {
    ...{ pulls: String(pulls), pushes: String(pushes), layers: String(LAYERS) },
    layerMegabytes: short(layerBytesOf(usage) / 1e6),
    storedGigabytes: short(usage.bytes / 1e9),
    ...{ cachedPercent: "0", habit: "docker" },
  };
}

/** Three digits tell enough of it; of less than a byte of a megabyte, nothing. */
const short = (value: number): string => String(Number(Number(value.toPrecision(3)).toFixed(6)));

/** The month of a draft. Throws ApiError that says which field is no number. */
export function monthOf(draft: MonthDraft, usage: Usage): Month {
  const layerBytes = numberOf(draft, "layerMegabytes") * 1e6;
  const storedBytes = numberOf(draft, "storedGigabytes") * 1e9;
  const isAsStored = draft.storedGigabytes === short(usage.bytes / 1e9);
  return {
    ...{ pulls: numberOf(draft, "pulls"), pushes: numberOf(draft, "pushes") },
    image: { layers: numberOf(draft, "layers"), layerBytes },
    ...{ habit: draft.habit, cached: Math.min(numberOf(draft, "cachedPercent"), 100) / 100 },
    storedBytes: isAsStored ? usage.bytes : storedBytes,
    databaseBytes: isAsStored ? usage.databaseBytes : databaseBytesOf(storedBytes, layerBytes),
  };
}

type NumberField = Exclude<keyof MonthDraft, "habit">;

function numberOf(draft: MonthDraft, field: NumberField): number {
  // With separators, as the page itself writes numbers.
  const text = draft[field].replaceAll(/[\s,]/g, "");
  if (!/^\d{1,15}(?:\.\d{1,6})?$/.test(text)) throw objection(field, "use a number");
  return Number(text);
}

/** What the month costs that is likely. */
export const estimateOf = (known: Known): Estimate => estimateMonth(monthOf(draftOfMonth(known), known.usage));

/** Whose way to pull, in words. */
export const HABITS: readonly { readonly value: PullHabitName; readonly label: string }[] = (
  Object.entries(PULL_HABITS) as [PullHabitName, { clients: string }][]
).map(([value, { clients }]) => ({ value, label: clients }));

/** The same by the command line. */
export function costCommand({ pulls, pushes, image, cached, habit, storedBytes }: Month): string[] {
  return [
    ...["cost", ...(pulls > 0 ? ["--pulls", String(pulls)] : []), ...(pushes > 0 ? ["--pushes", String(pushes)] : [])],
    ...[
      "--layers",
      String(image.layers),
      "--layer-size",
      `${short(image.layerBytes / 1e6)}MB`,
      "--stored",
      `${short(storedBytes / 1e9)}GB`,
    ],
    ...["--cached", String(cached * 100), "--client", habit],
  ];
}
