import * as v from "valibot";
import * as auth from "../auth/trust.ts";
import { parsePage } from "../oci/page.ts";
import { toTime } from "../oci/time.ts";
import { parseKeySet } from "../policy/trust.ts";
import { OciError } from "../oci/error.ts";
import { endpoint, pageAnswer } from "./endpoint.ts";
import { Actions, Name, nameOf, PAGE_QUERY } from "./schemas.ts";

const shared = {
  issuer: v.pipe(v.string("give the issuer's URL"), v.description("As in the tokens' iss, to the letter.")),
  audience: v.pipe(v.string("give the audience that tokens are made for"), v.description("One that aud must hold.")),
  claims: v.pipe(
    v.record(v.string(), v.string(), "give an object of claim names and patterns"),
    v.description("Conditions: claim name to pattern, in which * stands for any characters. All must hold."),
  ),
  repositories: v.pipe(
    v.array(v.string(), "give a list of repository patterns"),
    v.description("Repository patterns in which ${claim} stands for the value of a claim."),
  ),
};

const TrustRule = v.object({
  name: v.string(),
  ...shared,
  actions: v.array(v.string()),
  hasKeys: v.pipe(v.boolean(), v.description("Whether it has keys of its own, so that the issuer is not asked.")),
  createdAt: v.string(),
  createdBy: v.string(),
});

function toTrustRule({ keys, createdAt, ...rule }: auth.RecordedTrustRule): v.InferOutput<typeof TrustRule> {
  return {
    ...rule,
    claims: { ...rule.claims },
    repositories: [...rule.repositories],
    actions: [...rule.actions],
    hasKeys: keys !== undefined,
    createdAt: toTime(createdAt),
  };
}

export const listTrustRules = endpoint(
  {
    summary: "Lists the trust rules: which tokens of other issuers are let in, and to what.",
    query: v.strictObject(PAGE_QUERY),
    answer: v.object({ rules: v.array(TrustRule) }),
  },
  async (call) => {
    const page = parsePage(call.url.searchParams);
    const { entries, next } = await auth.listTrustRules(call.context, page);
    return pageAnswer(call, { rules: entries.map(toTrustRule) }, page.limit, next);
  },
);

export const addTrustRule = endpoint(
  {
    summary: "Lets tokens of an OpenID Connect issuer in, as the password of the username oidc.",
    body: v.strictObject({
      name: Name,
      ...shared,
      actions: Actions,
      keys: v.optional(v.pipe(v.unknown(), v.description("A JSON Web Key Set, for an issuer that cannot be reached."))),
    }),
    status: 201,
    answer: TrustRule,
  },
  async ({ context, caller, url, body }) => {
    const keys = body.keys === undefined ? undefined : parseKeySet(body.keys);
    if (body.keys !== undefined && !keys) {
      throw new OciError("REQUEST_INVALID", { message: "keys is no JSON Web Key Set with a public key in it" });
    }
    return toTrustRule(await auth.addTrustRule(context, { ...body, keys }, url.origin, caller.actor));
  },
);

export const removeTrustRule = endpoint(
  { summary: "Removes a trust rule, and all rules for the identities that it let in.", status: 204 },
  async (call) => {
    await auth.removeTrustRule(call.context, nameOf(call), call.caller.actor);
  },
);
