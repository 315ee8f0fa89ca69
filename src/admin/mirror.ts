import * as v from "valibot";
import { formatDuration } from "../oci/duration.ts";
import { parseImageName } from "../oci/image-name.ts";
import { toTime, toTimeOrNull } from "../oci/time.ts";
import { checkUpstream as check } from "../mirror/check.ts";
import { listUpstreams as list, type UpstreamOverview } from "../mirror/overview.ts";
import { endpoint } from "./endpoint.ts";
import { decodedName } from "./schemas.ts";

const RateLimit = {
  limit: v.pipe(v.number(), v.description("Pulls that it allows in the window.")),
  remaining: v.number(),
  window: v.pipe(v.nullable(v.number()), v.description("Seconds.")),
};

const Time = (of: string) => v.pipe(v.nullable(v.string()), v.description(of));

const Upstream = v.object({
  name: v.pipe(v.string(), v.description("The first part of the names of the repositories that mirror it.")),
  url: v.string(),
  hasCredentials: v.boolean(),
  repositories: v.pipe(v.array(v.string()), v.description("Patterns: what may be mirrored, by its names there.")),
  anonymous: v.pipe(v.boolean(), v.description("Whether anyone may pull what it mirrors.")),
  root: v.pipe(
    v.union([v.boolean(), v.array(v.string())]),
    v.description("Whether names without its own are looked for there: on all hostnames, or on these."),
  ),
  freshness: v.pipe(v.string(), v.description("How long a tag is taken for what it was; a duration such as 5m.")),
  stale: v.pipe(
    v.string(),
    v.description("How long the last copy is served while it cannot be asked; or never, for no end."),
  ),
  cooldown: v.pipe(v.string(), v.description("How old what a tag names must be.")),
  kept: v.pipe(v.string(), v.description("How long a tag stays that nobody pulls; or never, for no end.")),
  mirrored: v.pipe(
    v.object({ repositories: v.number(), bytes: v.number() }),
    v.description("What is here of it. Bytes that several of these repositories hold count in each."),
  ),
  answeredAt: Time("When it last answered."),
  failedAt: Time("When it last failed to."),
  failure: v.pipe(v.nullable(v.string()), v.description("What went wrong then.")),
  rateLimit: v.pipe(
    v.nullable(v.object({ ...RateLimit, seenAt: v.string() })),
    v.description("What it last said of its limits; null where it never did."),
  ),
});

const durationOrNever = (ms: number | undefined) => (ms === undefined ? "never" : formatDuration(ms));

function toUpstream({ upstream, status, usage }: UpstreamOverview): v.InferOutput<typeof Upstream> {
  const { name, url, anonymous, root, credentials } = upstream;
  const limit = status?.rateLimit;
  return {
    ...{ name, url, hasCredentials: credentials !== undefined, anonymous },
    repositories: [...upstream.repositories],
    root: typeof root === "boolean" ? root : [...root],
    freshness: formatDuration(upstream.freshnessMs),
    stale: durationOrNever(upstream.staleMs),
    cooldown: formatDuration(upstream.cooldownMs ?? 0),
    kept: durationOrNever(upstream.keptMs),
    mirrored: usage,
    answeredAt: toTimeOrNull(status?.answeredAt),
    failedAt: toTimeOrNull(status?.failedAt),
    failure: status?.failure ?? null,
    rateLimit: limit ? { ...limit, window: limit.window ?? null, seenAt: toTime(limit.seenAt) } : null,
  };
}

export const listUpstreams = endpoint(
  {
    summary:
      "Lists the upstreams that the registry mirrors, as the setting UPSTREAMS has them, and what is known of each.",
    answer: v.object({ upstreams: v.array(Upstream) }),
  },
  async ({ context }) => ({ upstreams: (await list(context)).map(toUpstream) }),
);

export const checkUpstream = endpoint(
  {
    summary: "Asks an upstream now whether it is there, lets the registry in, and has an image.",
    query: v.strictObject({
      image: v.optional(
        v.pipe(
          v.string(),
          v.description(
            "Such as library/nginx:latest, by its name there. It is asked for by HEAD, which costs no pull.",
          ),
        ),
      ),
    }),
    answer: v.object({
      name: v.string(),
      ok: v.boolean(),
      message: v.pipe(v.string(), v.description("What it said, or what went wrong.")),
      milliseconds: v.number(),
      digest: v.pipe(v.nullable(v.string()), v.description("What the image is there; null where none was asked for.")),
      rateLimit: v.pipe(v.nullable(v.object(RateLimit)), v.description("null where it said nothing of limits.")),
    }),
  },
  async (call) => {
    const name = decodedName(call);
    const { image } = call.query;
    const found = await check(call.context, name, image === undefined ? undefined : parseImageName(image));
    const { ok, message, milliseconds, digest, rateLimit } = found;
    return {
      ...{ name, ok, message, milliseconds, digest: digest ?? null },
      rateLimit: rateLimit ? { ...rateLimit, window: rateLimit.window ?? null } : null,
    };
  },
);
