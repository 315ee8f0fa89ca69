import { isRepositoryName, type RepositoryName } from "../oci/repository-name.ts";
import { type Action, ACTIONS, isAction } from "./action.ts";
import { type Claims, claimText, claimValue, matchesClaim } from "./claims.ts";
import { isIssuer, ISSUER_ADVICE } from "./issuer.ts";
import { type JsonWebKeySet, KEY_SET_ADVICE, parseKeySet } from "./key-set.ts";
import { isRepositoryPattern, matchesRepository, PATTERN_ADVICE, type RepositoryPattern } from "./pattern.ts";
import type { Grant } from "./policy.ts";
import { isSubjectName, NAME_ADVICE } from "./subject.ts";
import { matchesWildcards } from "./wildcard.ts";

export type { Claims } from "./claims.ts";
export { type JsonWebKeySet, parseKeySet } from "./key-set.ts";

/** Which tokens of an OpenID Connect issuer are let in without an account, and for what. */
export interface TrustRule {
  readonly name: string;
  /** `iss`, compared as a text. */
  readonly issuer: string;
  /** One that `aud` must hold. */
  readonly audience: string;
  /** Conditions: claim name → pattern, in which `*` stands for any characters. */
  readonly claims: Readonly<Record<string, string>>;
  /** Repository patterns in which `${claim}` stands for the value of a claim. */
  readonly repositories: readonly string[];
  readonly actions: readonly Action[];
  /** Keys given beforehand, for issuers that cannot be reached: these alone then count. */
  readonly keys: JsonWebKeySet | undefined;
}

/** A trust rule as somebody wants to add it. */
export type TrustRuleInput = Omit<TrustRule, "actions" | "keys"> & {
  readonly actions: readonly string[];
  readonly keys?: unknown;
};

/** More than any rule needs; a rule is read for each token of its issuer. */
const CLAIMS_MAX = 32;
const REPOSITORIES_MAX = 32;
const TEXT_LENGTH_MAX = 255;

const PLACEHOLDER = /\$\{([^{}]+)\}/;

/** Whether these claims fulfil every condition of the rule. No condition is fulfilled by none. */
export function matchesClaims(rule: Pick<TrustRule, "claims">, claims: Claims): boolean {
  const conditions = Object.entries(rule.claims);
  return (
    conditions.length > 0 && conditions.every(([name, pattern]) => matchesClaim(pattern, claimValue(claims, name)))
  );
}

/**
 * What the rule grants to these claims, which must match it: its templates with the claims' values put in. A template
 * whose claim is missing, is a list, or is no valid part of a repository name grants nothing.
 */
export function grantsOf(
  { repositories, actions }: Pick<TrustRule, "repositories" | "actions">,
  claims: Claims,
): Grant[] {
  return repositories.flatMap((template) => {
    const repository = fillTemplate(template, (name) => repositoryPart(claimValue(claims, name)));
    return repository === undefined ? [] : [{ repository, actions }];
  });
}

/** Whether a template could grant something in this repository, by some claims. Says so too often, where it has placeholders. */
export function mayGrant(template: string, repository: RepositoryName): boolean {
  if (!PLACEHOLDER.test(template)) return isRepositoryPattern(template) && matchesRepository(template, repository);
  return matchesWildcards(template.replaceAll(/\$\{[^{}]+\}|\*+/g, "*"), repository);
}

/** A template with values; undefined if there is none for a placeholder, or no pattern comes of it. */
function fillTemplate(template: string, valueOf: (claim: string) => string | undefined): RepositoryPattern | undefined {
  // With its one group, the expression parts the template into text, claim, text, claim, …, text.
  const parts = template.split(PLACEHOLDER).map((part, index) => (index % 2 === 0 ? part : valueOf(part)));
  const filled = parts.join("");
  return !parts.includes(undefined) && isRepositoryPattern(filled) ? filled : undefined;
}

/**
 * A claim's value as whole segments of a repository name: no wildcard, and no way out of its place. GitHub's names have
 * no case, so letters become small; those of ASCII alone, as there are others whose small letter is one of ASCII, and a
 * name with them is somebody else's.
 */
function repositoryPart(value: unknown): string | undefined {
  const part = claimText(value)?.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return part !== undefined && isRepositoryName(part) ? part : undefined;
}

/** True for a repository pattern in which `${claim}` may stand for the value of a claim. */
export function isTrustTemplate(text: string): boolean {
  return text.length <= TEXT_LENGTH_MAX && fillTemplate(text, () => "a") !== undefined;
}

/**
 * Why the rule may not be added; undefined if it may. A condition that anything fulfils is refused: without one, a rule
 * for a public issuer such as GitHub's would trust everybody who has an account there.
 */
export function trustObjection(rule: TrustRuleInput): string | undefined {
  if (!isSubjectName(rule.name)) return `name is invalid: ${NAME_ADVICE}`;
  if (!isIssuer(rule.issuer)) return `issuer is invalid: ${ISSUER_ADVICE}`;
  if (!isBounded(rule.audience)) return `audience is missing or longer than ${TEXT_LENGTH_MAX} characters`;
  return (
    conditionsObjection(rule.claims) ??
    publicIssuerObjection(rule) ??
    repositoriesObjection(rule.repositories) ??
    actionsObjection(rule.actions) ??
    (rule.keys === undefined || parseKeySet(rule.keys) ? undefined : `keys are invalid: ${KEY_SET_ADVICE}`)
  );
}

function conditionsObjection(claims: TrustRule["claims"]): string | undefined {
  const conditions = Object.entries(claims);
  if (conditions.length === 0) {
    return "claims are missing: without a condition, the rule would trust everybody whom the issuer gives a token";
  }
  if (conditions.length > CLAIMS_MAX) return `claims are more than ${CLAIMS_MAX}`;
  for (const [name, pattern] of conditions) {
    if (!isBounded(name)) return `a claim's name is missing or longer than ${TEXT_LENGTH_MAX} characters`;
    if (pattern.length > TEXT_LENGTH_MAX)
      return `claim ${name} has a pattern longer than ${TEXT_LENGTH_MAX} characters`;
    if (/^\**$/.test(pattern)) return `claim ${name} needs a pattern with at least one character besides *`;
  }
  return undefined;
}

/** Issuers that give tokens to everybody, and the claims by which one of them is told from the others. */
const PUBLIC_ISSUERS: Readonly<Record<string, readonly string[]>> = {
  "https://token.actions.githubusercontent.com": [
    ...["sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "enterprise", "enterprise_id"],
  ],
  "https://gitlab.com": [
    "sub",
    "namespace_path",
    "namespace_id",
    "project_path",
    "project_id",
    "user_id",
    "user_login",
  ],
};

/**
 * A condition on the branch alone, say, is one that everybody there can fulfil; so is one on the owner with a wildcard in the
 * owner's place, which ends with the first slash.
 */
function publicIssuerObjection({ issuer, claims }: TrustRuleInput): string | undefined {
  const owners = Object.hasOwn(PUBLIC_ISSUERS, issuer) ? PUBLIC_ISSUERS[issuer] : undefined;
  const tells = (claim: string) => Object.hasOwn(claims, claim) && !claims[claim]?.split("/", 1)[0]?.includes("*");
  if (!owners || owners.some(tells)) return undefined;
  return `claims would trust everybody at ${issuer}: add a condition on one of ${owners.join(", ")}, whose owner has no *`;
}

function repositoriesObjection(templates: readonly string[]): string | undefined {
  if (templates.length === 0) return "repositories are missing: the rule would let in, and for nothing";
  if (templates.length > REPOSITORIES_MAX) return `repositories are more than ${REPOSITORIES_MAX}`;
  const invalid = templates.find((template) => !isTrustTemplate(template));
  if (invalid === undefined) return undefined;
  const shown = invalid.slice(0, TEXT_LENGTH_MAX);
  return `repository pattern ${shown} is invalid: ${PATTERN_ADVICE}; \${claim} stands for the value of a claim`;
}

function actionsObjection(actions: readonly string[]): string | undefined {
  if (actions.length > 0 && actions.every(isAction)) return undefined;
  return `actions are missing or unknown: use ${ACTIONS.join(", ")}`;
}

function isBounded(text: string): boolean {
  return text !== "" && text.length <= TEXT_LENGTH_MAX;
}
