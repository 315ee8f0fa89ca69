import type { Action } from "../api-types.ts";
import { objection } from "./problems.ts";
import { linesOf, listOf } from "./text.ts";

// What forms about access hold while somebody writes, and what is sent. Whether it is right, the registry decides.

/** In the order in which they are written. */
export const ACTIONS: readonly Action[] = ["pull", "push", "delete"];

/** With an action, or without. Who pushes or deletes looks first at what is there. */
export function withAction(actions: readonly Action[], action: Action, isOn: boolean): Action[] {
  if (!isOn) return actions.filter((other) => other !== action);
  return ACTIONS.filter((other) => other === action || other === "pull" || actions.includes(other));
}

export interface TokenDraft {
  readonly name: string;
  readonly repositories: string;
  readonly actions: readonly Action[];
  /** A duration, or `never`. */
  readonly expires: string;
}

export const FIRST_TOKEN: TokenDraft = { name: "", repositories: "", actions: ["pull"], expires: "90d" };

/** What POST /api/tokens takes. */
export const tokenRequest = ({ name, repositories, actions, expires }: TokenDraft) => ({
  ...{ name: name.trim(), repositories: listOf(repositories) },
  ...{ actions, expires: expires.trim() },
});

/** The same by the command line. */
export function tokenCommand(draft: TokenDraft): string[] {
  const { name, repositories, actions, expires } = tokenRequest(draft);
  return [
    ...["token", "create", orElse(name, "NAME"), "--repository", ...orElse(repositories, ["team/*"])],
    ...["--actions", actions.join(",") || "pull", "--expires", orElse(expires, "90d")],
  ];
}

export interface GrantDraft {
  readonly subject: string;
  readonly repository: string;
  readonly actions: readonly Action[];
}

export const FIRST_GRANT: GrantDraft = { subject: "", repository: "", actions: ["pull"] };

/** What POST /api/policy/rules takes. */
export const grantRequest = ({ subject, repository, actions }: GrantDraft) => ({
  ...{ subject: subject.trim(), repository: repository.trim(), actions },
});

/** The same by the command line. */
export function grantCommand(draft: GrantDraft): string[] {
  const { subject, repository, actions } = grantRequest(draft);
  return [
    ...["policy", "grant", orElse(repository, "team/*"), "--to", orElse(subject, "account:NAME")],
    ...["--actions", actions.join(",") || "pull"],
  ];
}

export interface TrustDraft {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  /** `claim=pattern`, each on a line. */
  readonly claims: string;
  readonly repositories: string;
  readonly actions: readonly Action[];
  /** A JSON Web Key Set; empty where the registry can ask the issuer. */
  readonly keys: string;
}

/** What POST /api/trust takes. Throws ApiError for what is no request at all. */
export function trustRequest({ name, issuer, audience, claims, repositories, actions, keys }: TrustDraft) {
  return {
    ...{ name: name.trim(), issuer: issuer.trim(), audience: audience.trim(), claims: claimsOf(claims) },
    ...{ repositories: listOf(repositories), actions, ...(keys.trim() !== "" && { keys: keySetOf(keys) }) },
  };
}

function claimsOf(text: string): Record<string, string> {
  const pairs = linesOf(text).map((line): [string, string] => {
    const equals = line.indexOf("=");
    if (equals <= 0) throw objection("claims", `“${line}” is no condition: write it as claim=pattern`);
    return [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
  });
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw objection("claims", `${twice} is there twice: a claim has one pattern`);
  return Object.fromEntries(pairs);
}

function keySetOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw objection("keys", "is no JSON: paste the issuer's key set as it is");
  }
}

/** The same by the command line. Claims stand as they were written. */
export function trustCommand({ name, issuer, audience, claims, repositories, actions, keys }: TrustDraft): string[] {
  return [
    ...["trust", "add", orElse(name.trim(), "NAME"), "--issuer", orElse(issuer.trim(), "URL")],
    ...["--audience", orElse(audience.trim(), "AUDIENCE")],
    ...linesOf(claims).flatMap((claim) => ["--claim", claim]),
    ...["--repository", ...orElse(listOf(repositories), ["team/*"]), "--actions", actions.join(",") || "pull"],
    ...(keys.trim() === "" ? [] : ["--jwks", "keys.json"]),
  ];
}

export interface AccountDraft {
  readonly name: string;
  readonly role: "admin" | "member";
  /** Empty: the registry makes one. */
  readonly password: string;
}

export const FIRST_ACCOUNT: AccountDraft = { name: "", role: "member", password: "" };

/** What POST /api/accounts takes. */
export const accountRequest = ({ name, role, password }: AccountDraft) => ({
  ...{ name: name.trim(), role },
  ...passwordRequest(password),
});

/** What PUT …/password takes of an admin; a member gives the one until now too. */
export const passwordRequest = (password: string, currentPassword = "") => ({
  ...(password !== "" && { password }),
  ...(currentPassword !== "" && { currentPassword }),
});

/** The same by the command line. */
export const accountCommand = ({ name, role }: AccountDraft): string[] => [
  ...["account", "add", orElse(name.trim(), "NAME")],
  ...(role === "admin" ? ["--admin"] : []),
];

/** What is there, or what could be: an example is better than a hole. */
const orElse = <T extends string | readonly string[]>(value: T, example: T): T =>
  value.length === 0 ? example : value;
