import compare from "semver/functions/compare.js";
import parse from "semver/functions/parse.js";
import type { Tag } from "../../oci/reference.ts";
import type { Condition, Limit } from "./rule.ts";
import type { Verdict } from "./verdict.ts";
import { among, oneOf } from "./wording.ts";

type Limits = Extract<Condition, { kind: "semver" }>;

/** A tag that is a version. `v1.2.3`, `1.2.3` and `1.2.3_build` are one version, and take one place. */
interface Version {
  /** How many numbers it has. */
  readonly precision: 1 | 2 | 3;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `1.2.3-rc.1`, for a pre-release. */
  readonly prerelease: string | undefined;
}

const SHORT_VERSION = /^v?(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?$/;

/**
 * A tag as a version of semver.org 2.0.0, with or without `v`; `1.2` and `1` are such too, as images are tagged. Undefined
 * for any other. No tag holds a `+`: Helm writes `_` for it, and so `_` begins build metadata here, which says nothing of
 * precedence. What follows a hyphen makes a pre-release: `1.2.3-alpine` is one.
 */
export function parseVersion(tag: Tag): Version | undefined {
  const [, major, minor] = SHORT_VERSION.exec(tag) ?? [];
  const version = parse(major === undefined ? tag.replace("_", "+") : `${major}.${minor ?? 0}.0`);
  if (!version) return undefined;
  return {
    precision: major === undefined ? 3 : minor === undefined ? 1 : 2,
    ...{ major: version.major, minor: version.minor, patch: version.patch },
    prerelease: version.prerelease.length > 0 ? version.version : undefined,
  };
}

/** The number of a release, and the name of what it is counted within. */
type Place = readonly [within: string, number: number];

const majorOf = ({ precision, major }: Version): Place => [`${precision}:`, major];
const minorOf = ({ precision, major, minor }: Version): Place => [`${precision}:${major}`, minor];
const patchOf = ({ precision, major, minor, patch }: Version): Place => [`${precision}:${major}.${minor}`, patch];

/** Whether a release is within the limit, each number taking one place among those of the same name. */
function counted(releases: readonly Version[], placeOf: (version: Version) => Place, limit: Limit) {
  if (limit === "all") return () => true;
  const numbers = new Map<string, Set<number>>();
  for (const [within, number] of releases.map(placeOf)) {
    numbers.set(within, (numbers.get(within) ?? new Set()).add(number));
  }
  const lowest = new Map<string, number>();
  for (const [within, of] of numbers)
    lowest.set(
      within,
      [...of]
        .sort((a, b) => b - a)
        .slice(0, limit)
        .at(-1) ?? 0,
    );
  return (version: Version) => {
    const [within, number] = placeOf(version);
    return number >= (lowest.get(within) ?? 0);
  };
}

/**
 * How the tags of a repository fare by their versions. Tags of one, two and three numbers are counted apart: `1` and `1.2`
 * are names that move along with `1.2.3`, and take no place from it; nor does a build number, which looks like a major.
 */
export function judgeVersions(tags: readonly Tag[], limits: Limits): (tag: Tag) => Verdict {
  const versions = tags.flatMap((tag) => parseVersion(tag) ?? []);
  const judgeRelease = releaseJudge(
    versions.filter(({ prerelease }) => prerelease === undefined),
    limits,
  );
  const judgePrerelease = prereleaseJudge(
    versions.flatMap(({ prerelease }) => prerelease ?? []),
    limits.prereleases,
  );
  return (tag) => {
    const version = parseVersion(tag);
    if (!version) return { holds: false, because: ["not a version"] };
    return version.prerelease === undefined ? judgeRelease(version) : judgePrerelease(version.prerelease);
  };
}

function releaseJudge(releases: readonly Version[], { majors, minors, patches }: Limits): (v: Version) => Verdict {
  const isMajorKept = counted(releases, majorOf, majors);
  const isMinorKept = counted(releases, minorOf, minors);
  const isPatchKept = counted(releases, patchOf, patches);
  return (version) => {
    const { precision, major, minor } = version;
    // From the narrowest to the widest: the first limit that there is tells best why a version stays, the last why not.
    const steps = [
      { level: 3, limit: patches, one: "patch", many: "patches", of: ` of ${major}.${minor}`, isKept: isPatchKept },
      { level: 2, limit: minors, one: "minor", many: "minors", of: ` of ${major}`, isKept: isMinorKept },
      { level: 1, limit: majors, one: "major", many: "majors", of: "", isKept: isMajorKept },
    ].flatMap(({ limit, ...step }) => (limit === "all" || step.level > precision ? [] : [{ ...step, limit }]));
    const failed = steps.findLast(({ isKept }) => !isKept(version));
    if (failed) {
      const words = failed.level === precision ? among(failed.limit, failed) : `of ${oneOf(failed.limit, failed)}`;
      return { holds: false, because: [`not ${words}`] };
    }
    const [step] = steps;
    if (!step) return { holds: true, because: ["a version"] };
    return { holds: true, because: [(step.level === precision ? "" : "of ") + oneOf(step.limit, step)] };
  };
}

const PRERELEASES = { one: "pre-release", many: "pre-releases", of: "" };

function prereleaseJudge(prereleases: readonly string[], limit: Limit): (version: string) => Verdict {
  if (limit === 0) return () => ({ holds: false, because: ["a pre-release"] });
  if (limit === "all") return () => ({ holds: true, because: ["a pre-release"] });
  const kept = new Set([...new Set(prereleases)].sort((a, b) => compare(b, a)).slice(0, limit));
  return (version) =>
    kept.has(version)
      ? { holds: true, because: [oneOf(limit, PRERELEASES)] }
      : { holds: false, because: [`not ${among(limit, PRERELEASES)}`] };
}
