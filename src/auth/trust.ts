import type { Context } from "../context.ts";
import * as metadata from "../metadata/trust.ts";
import type { RecordedTrustRule } from "../metadata/trust.ts";
import { OciError } from "../oci/error.ts";
import { type Page, type PageRequest, toPage } from "../oci/page.ts";
import type { Actor } from "../policy/actor.ts";
import { type TrustRule, trustObjection } from "../policy/trust.ts";

export type { RecordedTrustRule } from "../metadata/trust.ts";

/** Trust rules by name. One D1 query. */
export async function listTrustRules({ db }: Context, page: PageRequest): Promise<Page<RecordedTrustRule>> {
  return toPage(await metadata.listTrustRules(db, page), page.limit, ({ name }) => name);
}

/**
 * Adds a trust rule. One D1 round trip.
 * @param origin the registry's own: it issues no such tokens, and would ask itself.
 * @throws OciError REQUEST_INVALID for a rule that would trust too much or nothing; CONFLICT where the name is taken.
 */
export async function addTrustRule(
  { db, now }: Context,
  rule: TrustRule,
  origin: string,
  actor: Actor,
): Promise<RecordedTrustRule> {
  const isOwnHost = URL.canParse(rule.issuer) && new URL(rule.issuer).host === new URL(origin).host;
  const objection = isOwnHost ? "issuer is this registry itself, which issues no such tokens" : trustObjection(rule);
  if (objection !== undefined) throw new OciError("REQUEST_INVALID", { message: objection });
  const recorded = { ...rule, createdAt: now(), createdBy: actor.name };
  const { name, issuer, audience, claims, repositories, actions } = rule;
  const detail = { name, issuer, audience, claims, repositories, actions };
  const outcome = await metadata.insertTrustRule(db, recorded, { action: "trust.add", actor, detail });
  switch (outcome) {
    case "added":
      return recorded;
    case "taken":
      throw new OciError("CONFLICT", { message: `there is a trust rule ${name} already: remove it first` });
    case "full":
      throw new OciError("CONFLICT", {
        message: `${issuer} has ${metadata.TRUST_RULES_OF_ISSUER_MAX} trust rules already: join some`,
      });
  }
}

/** Removes a trust rule, and what was granted to the identities that it let in. Throws NOT_FOUND. */
export async function removeTrustRule({ db, now }: Context, name: string, actor: Actor): Promise<void> {
  const entry = { action: "trust.remove", actor, detail: { name } } as const;
  const isRemoved = await metadata.deleteTrustRule(db, name, entry, now());
  if (!isRemoved) throw new OciError("NOT_FOUND", { message: `there is no trust rule ${name}` });
}
