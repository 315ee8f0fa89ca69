import * as v from "valibot";
import { ANYONE } from "../auth/authenticate.ts";
import { parseDuration } from "../oci/duration.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { isTag, type Tag } from "../oci/reference.ts";
import { isRepositoryName, type RepositoryName } from "../oci/repository-name.ts";
import { type Action, ACTIONS, isAction } from "../policy/action.ts";
import { isRepositoryPattern, isTagPattern, PATTERN_ADVICE, type RepositoryPattern } from "../policy/pattern.ts";
import { isSubject, isSubjectName, NAME_ADVICE, type Subject } from "../policy/subject.ts";
import { type Call, decodeParam } from "../protocol/call.ts";
import type { Asker } from "../registry/reading.ts";

/** A text of a type that only its parser makes. `description` is for the OpenAPI document. */
function text<T extends string>(is: (value: string) => value is T, advice: string, description: string) {
  return v.pipe(v.string(advice), v.guard(is, advice), v.description(description));
}

const isName = (value: string): value is string => isSubjectName(value);

export const Name = text(isName, NAME_ADVICE, "Up to 64 lower-case letters and digits, with . _ - between them.");

export const RepositoryPatternText = text<RepositoryPattern>(
  isRepositoryPattern,
  PATTERN_ADVICE,
  "A repository name in which * stands for part of one segment, and /** at the end for all below; ** alone is every repository.",
);

export const RepositoryNameText = text<RepositoryName>(
  isRepositoryName,
  "use the name of a repository, without wildcards",
  "A repository name.",
);

export const TagText = text<Tag>(
  isTag,
  "use a tag: up to 128 letters, digits, and . _ - after the first character",
  "A tag.",
);

export const DigestText = text<Digest>(isDigest, "use a digest such as sha256:…", "A digest.");

export const TagPatternText = text(
  isTagPattern,
  "use a tag in which * stands for any characters, of up to 50 in all",
  "A tag in which * stands for any characters.",
);

export const SubjectText = text<Subject>(
  isSubject,
  "use anyone, account:NAME, token:NAME or oidc:NAME",
  "anyone, account:NAME, token:NAME, or oidc:NAME for the identities that a trust rule lets in.",
);

const ACTIONS_ADVICE = `use one or more of ${ACTIONS.join(", ")}`;

/** In their own order, each once. */
const inOrder = (actions: string[]): Action[] => ACTIONS.filter((action) => actions.includes(action));

export const Actions = v.pipe(
  v.array(v.picklist(ACTIONS, ACTIONS_ADVICE), ACTIONS_ADVICE),
  v.minLength(1, ACTIONS_ADVICE),
  v.transform((actions) => inOrder(actions)),
);

/** `pull,push` in a query. */
export const ActionsText = v.pipe(
  v.string(),
  v.check((list) => list.split(",").every(isAction), ACTIONS_ADVICE),
  v.transform((list) => inOrder(list.split(","))),
);

/** As far as settings go; dates end somewhere too. */
const LIFE_MAX = "36500d";

const LIFE_ADVICE = `use a duration such as 12h or 90d, of at most ${LIFE_MAX}, or never`;

function isLife(text: string): boolean {
  const [life, max] = [parseDuration(text) ?? 0, parseDuration(LIFE_MAX) ?? 0];
  return text === "never" || (life > 0 && life <= max);
}

/** A duration in milliseconds, or undefined for `never`. */
export const Life = v.pipe(
  v.string(LIFE_ADVICE),
  v.check(isLife, LIFE_ADVICE),
  v.transform((life) => (life === "never" ? undefined : parseDuration(life))),
);

const TIME_ADVICE = "use a time such as 2026-07-28T12:00:00Z";

/** Of what the library takes, only what RFC 3339 does: JavaScript reads no short offset, and a day that is none as the next. */
function isTime(text: string): boolean {
  const [, day] = /^(\d{4}-\d\d-\d\d)T.+(?:Z|:\d\d)$/.exec(text) ?? [];
  return (
    day !== undefined && !Number.isNaN(Date.parse(text)) && new Date(Date.parse(day)).toISOString().startsWith(day)
  );
}

/** RFC 3339. */
export const Time = v.pipe(v.string(TIME_ADVICE), v.isoTimestamp(TIME_ADVICE), v.check(isTime, TIME_ADVICE));

/** The parameters of a list's page. */
export const PAGE_QUERY = {
  n: v.optional(v.pipe(v.string(), v.description("The most entries of the answer."))),
  last: v.optional(v.pipe(v.string(), v.description("Where the page before ended; follow the Link header instead."))),
};

/** The parameters of a list that can be ordered and searched. */
export function listQuery<const S extends readonly string[]>(sorts: S) {
  const orders = ["name", ...sorts] as const;
  return {
    ...PAGE_QUERY,
    q: v.optional(
      v.pipe(
        v.string(),
        v.maxLength(255, "use at most 255 characters"),
        v.description("Part of the names that are wanted, in letters of any case."),
      ),
    ),
    sort: v.optional(v.picklist(orders, `use one of ${orders.join(", ")}`)),
    order: v.optional(
      v.pipe(
        v.picklist(["asc", "desc"], "use asc or desc"),
        v.description("Names begin with the first if it is not said, and all else with the most."),
      ),
    ),
  };
}

/** Who did something. Names of accounts, robots and CI jobs are not for everybody. */
export const Who = v.pipe(v.nullable(v.string()), v.description("null for who asks without credentials."));

/** {@link Who}, as the caller may know it. */
export const whoFor = ({ caller }: Call, actor: string): string | null => (caller === ANYONE ? null : actor);

/** Who asks for something of a repository. */
export function askerOf({ caller: { visibility } }: Call, repository: RepositoryName): Asker {
  return { visibility, repository };
}

/** The `name` of the path, where it is the name of an account, a token or a trust rule. */
export function nameOf(call: Call): string {
  const name = decodedName(call);
  if (!isSubjectName(name)) throw new OciError("NAME_INVALID", { message: NAME_ADVICE });
  return name;
}

/** The `name` of the path, whatever it is. */
export function decodedName(call: Call): string {
  return decodeParam(call, "name");
}
