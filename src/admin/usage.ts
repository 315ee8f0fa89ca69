import * as v from "valibot";
import { listUsage as list, measureUsage } from "../registry/usage.ts";
import { endpoint } from "./endpoint.ts";

const MirroredBytes = v.pipe(
  v.number(),
  v.description("Of these bytes, those that only repositories hold that mirror others."),
);

export const showUsage = endpoint(
  {
    summary: "Shows how much is stored in all repositories.",
    answer: v.object({
      repositories: v.number(),
      objects: v.pipe(v.number(), v.description("Objects in the bucket: blobs, and manifests of more than 900 kB.")),
      bytes: v.pipe(v.number(), v.description("Of these, each stored once, however many repositories hold it.")),
      mirroredBytes: MirroredBytes,
      databaseBytes: v.number(),
    }),
  },
  async ({ context }) => await measureUsage(context),
);

/** Ten years: as many rows. */
const DAYS_MAX = 3_660;

const DAYS_ADVICE = `use a whole number of days, of at most ${DAYS_MAX}`;

const Days = v.pipe(
  v.string(),
  v.regex(/^[1-9]\d{0,3}$/, DAYS_ADVICE),
  v.transform(Number),
  v.maxValue(DAYS_MAX, DAYS_ADVICE),
);

export const listUsage = endpoint(
  {
    summary: "Shows how much was stored on each of the last days, as the schedule saw it last on that day.",
    query: v.strictObject({ days: v.optional(v.pipe(Days, v.description("How many; 90 if it is not said.")), "90") }),
    answer: v.object({
      days: v.array(
        v.object({
          day: v.pipe(v.string(), v.description("In UTC, such as 2026-11-21.")),
          ...{ repositories: v.number(), objects: v.number(), bytes: v.number(), mirroredBytes: v.number() },
        }),
      ),
    }),
  },
  async ({ context, query: { days } }) => ({ days: await list(context, days) }),
);
