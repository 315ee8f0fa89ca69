import * as v from "valibot";
import { parseDuration } from "../oci/duration.ts";
import { isRepositoryName, type RepositoryName } from "../oci/repository-name.ts";
import { isRepositoryPattern, type RepositoryPattern } from "./pattern.ts";
import type { Upstream } from "./upstream.ts";

const DURATION_ADVICE = "use a duration such as 30s, 5m, 1h or 7d";
const NEVER = "never";

const duration = v.pipe(
  v.string(DURATION_ADVICE),
  v.transform((text) => parseDuration(text) ?? -1),
  v.minValue(0, DURATION_ADVICE),
);

const never = v.pipe(
  v.literal(NEVER),
  v.transform(() => undefined),
);

/** A time, or none at all. */
const durationOrNever = v.union([never, duration], `${DURATION_ADVICE}, or "${NEVER}"`);

/** Pulls are recorded once a day: a shorter time than that could not tell anything. */
const KEPT_MIN_MS = 86_400_000;
const KEPT_MAX_MS = 36_500 * 86_400_000;
const KEPT_ADVICE = `use a duration from 1d to 36500d, or "${NEVER}"`;

const kept = v.union(
  [never, v.pipe(duration, v.minValue(KEPT_MIN_MS, KEPT_ADVICE), v.maxValue(KEPT_MAX_MS, KEPT_ADVICE))],
  KEPT_ADVICE,
);

const NAME_ADVICE =
  "use the registry's hostname, such as docker.io: lower-case letters and digits, separated by . _ or -";
const URL_ADVICE = "use an address such as https://registry.example.org, without a path";
const HOSTNAME = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;

const name = v.pipe(
  v.string(NAME_ADVICE),
  v.check((text) => isRepositoryName(text) && !text.includes("/"), NAME_ADVICE),
  v.transform((text) => text as RepositoryName),
);

const origin = v.pipe(
  v.string(URL_ADVICE),
  v.check((text) => /^https?:\/\/[^/?#@\s]+\/?$/.test(text) && URL.canParse(text), URL_ADVICE),
  v.transform((text) => new URL(text).origin),
);

const patterns = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.check(isRepositoryPattern, "use a repository pattern, such as library/* or team/**"),
      v.transform((text) => text as RepositoryPattern),
    ),
  ),
  v.minLength(1, 'use at least one pattern; "**" is every repository'),
);

const UpstreamSchema = v.strictObject(
  {
    name,
    url: v.optional(origin),
    credentials: v.optional(
      v.pipe(v.string(), v.regex(/^UPSTREAM_[A-Z0-9_]+$/, "use the name of a secret, such as UPSTREAM_HUB")),
    ),
    repositories: v.optional(patterns, ["**"]),
    anonymous: v.optional(v.boolean(), false),
    root: v.optional(
      v.union(
        [v.boolean(), v.array(v.pipe(v.string(), v.regex(HOSTNAME)))],
        "use true, or a list of hostnames without ports",
      ),
      false,
    ),
    freshness: v.optional(duration, "5m"),
    stale: v.optional(durationOrNever, NEVER),
    cooldown: v.optional(duration, "0s"),
    kept: v.optional(kept, "30d"),
    private: v.optional(v.boolean(), false),
  },
  ({ expected }) => (expected === "never" ? "is not known" : "use an object with a name"),
);

const SettingSchema = v.pipe(
  v.array(UpstreamSchema, "use a JSON list of upstreams"),
  v.maxLength(50, "has more than 50 upstreams"),
  v.check((list) => new Set(list.map((each) => each.name)).size === list.length, "names an upstream twice"),
  v.check(
    (list) => list.filter(({ root }) => root === true).length <= 1,
    "has more than one upstream whose root is true",
  ),
);

/** Where Docker Hub's registry is: not where its name says. */
const KNOWN_URLS: Readonly<Record<string, string>> = { "docker.io": "https://registry-1.docker.io" };

/** What is wrong with the setting UPSTREAMS. It names no secret's value. */
export class UpstreamsError extends Error {
  override readonly name = "UpstreamsError";
}

function readCredentials(secret: string, secrets: Readonly<Record<string, unknown>>): Upstream["credentials"] {
  const value = secrets[secret];
  const [, username, password] = /^([^:\s]+):(.+)$/.exec(typeof value === "string" ? value.trim() : "") ?? [];
  if (username !== undefined && password !== undefined) return { username, password };
  throw new UpstreamsError(`names the secret ${secret}, which is not set, or not USERNAME:PASSWORD`);
}

/** A URL that plain HTTP, or a private address, is no part of, unless that is meant. */
function checkUrl({ name: upstream, url, private: isPrivate }: Upstream): void {
  if (new URL(url).protocol === "https:" || isPrivate) return;
  throw new UpstreamsError(`has plain HTTP for ${upstream}: use https, or set "private": true`);
}

/**
 * Reads the setting UPSTREAMS: a JSON list of objects; README.md shows one, docs/mirror.md explains it. Empty: there is none.
 * @param secrets where credentials are, by the names that upstreams have for them.
 * @throws UpstreamsError
 */
export function parseUpstreams(text: string, secrets: Readonly<Record<string, unknown>>): Upstream[] {
  if (text.trim() === "") return [];
  const result = v.safeParse(SettingSchema, parseJson(text));
  if (!result.success) {
    const [issue] = result.issues;
    const path = v.getDotPath(issue);
    throw new UpstreamsError(path === null ? issue.message : `at ${path}: ${issue.message}`);
  }
  return result.output.map((each) => {
    const upstream: Upstream = {
      ...{ name: each.name, repositories: each.repositories, anonymous: each.anonymous, root: each.root },
      url: each.url ?? KNOWN_URLS[each.name] ?? `https://${each.name}`,
      credentials: each.credentials === undefined ? undefined : readCredentials(each.credentials, secrets),
      ...{ freshnessMs: each.freshness, staleMs: each.stale, keptMs: each.kept, private: each.private },
      cooldownMs: each.cooldown === 0 ? undefined : each.cooldown,
    };
    checkUrl(upstream);
    return upstream;
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UpstreamsError("is not JSON");
  }
}
