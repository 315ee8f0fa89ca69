import * as v from "valibot";
import { measureUsage } from "../registry/usage.ts";
import { endpoint } from "./endpoint.ts";

export const showUsage = endpoint(
  {
    summary: "Shows how much is stored in all repositories.",
    answer: v.object({
      repositories: v.number(),
      objects: v.pipe(v.number(), v.description("Objects in the bucket: blobs, and manifests of more than 900 kB.")),
      bytes: v.pipe(v.number(), v.description("Of these, each stored once, however many repositories hold it.")),
      databaseBytes: v.number(),
    }),
  },
  async ({ context }) => await measureUsage(context),
);
