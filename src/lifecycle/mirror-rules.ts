import type { ImpliedRange, RecordedRetentionRule } from "../metadata/retention-rules.ts";
import { formatDuration } from "../oci/duration.ts";
import { OciError } from "../oci/error.ts";
import { rangeOf, type RepositoryPattern } from "../policy/pattern.ts";
import type { Upstream } from "../policy/upstream.ts";

/** No stored rule has such a name. */
const PREFIX = "mirror:";

/** A retention rule that follows from the settings: it is for repositories that mirror one of an upstream, and runs without a preview. */
export interface MirrorRule extends RecordedRetentionRule {
  /** That upstream. */
  readonly upstream: string;
}

/**
 * The rules by which what mirrors hold goes, by name: a tag that nobody has pulled for as long as its upstream's are kept. They are rules like
 * any other: what one keeps that an admin has stored, stays.
 */
export function mirrorRules(upstreams: readonly Upstream[]): MirrorRule[] {
  const kept = upstreams.flatMap(({ name, keptMs }) => (keptMs === undefined ? [] : [{ name, keptMs }]));
  const rules = kept.map(({ name: upstream, keptMs }): MirrorRule => {
    const repository = `${upstream}/**` as RepositoryPattern;
    const rule = { repository, keep: { pulledWithin: formatDuration(keptMs) }, mayEmpty: true };
    return {
      name: PREFIX + upstream,
      repository,
      rule,
      upstream,
      previewedAt: null,
      createdAt: 0,
      createdBy: "UPSTREAMS",
    };
  });
  return rules.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Which repositories a rule of these is for. */
export function rangeOfMirrorRule({ name, repository, upstream }: MirrorRule): ImpliedRange {
  return { ...rangeOf(repository), name, upstream };
}

/** True for what may be the name of such a rule. */
export const isMirrorRuleName = (name: string): boolean => name.startsWith(PREFIX);

/** Throws DENIED for the name of such a rule: only the settings change it. */
export function assertNoMirrorRule(name: string): void {
  if (!isMirrorRuleName(name)) return;
  const upstream = name.slice(PREFIX.length);
  const message = `${name} is what the setting UPSTREAMS says of ${upstream}: change "kept" there, or store a rule for ${upstream}/** beside it`;
  throw new OciError("DENIED", { message });
}
