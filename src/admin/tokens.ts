import * as v from "valibot";
import * as auth from "../auth/access-tokens.ts";
import { parsePage } from "../oci/page.ts";
import { toTime, toTimeOrNull } from "../oci/time.ts";
import { endpoint, pageAnswer } from "./endpoint.ts";
import { Actions, Life, Name, nameOf, PAGE_QUERY, RepositoryPatternText } from "./schemas.ts";

/** No robot needs more patterns; each is a rule. */
const REPOSITORIES_MAX = 50;

const Token = v.object({
  name: v.string(),
  id: v.string(),
  grants: v.array(v.object({ repository: v.string(), actions: v.array(v.string()) })),
  createdAt: v.string(),
  createdBy: v.string(),
  expiresAt: v.nullable(v.string()),
  lastUsedAt: v.nullable(v.pipe(v.string(), v.description("Right to the hour."))),
});

function toToken({ name, id, grants, ...token }: auth.ListedToken): v.InferOutput<typeof Token> {
  const { createdAt, createdBy, expiresAt, lastUsedAt } = token;
  return {
    ...{ name, id, grants: grants.map(({ repository, actions }) => ({ repository, actions: [...actions] })) },
    ...{ createdAt: toTime(createdAt), createdBy },
    expiresAt: toTimeOrNull(expiresAt),
    lastUsedAt: toTimeOrNull(lastUsedAt),
  };
}

export const listTokens = endpoint(
  {
    summary: "Lists the access tokens, and what rules let each do.",
    query: v.strictObject(PAGE_QUERY),
    answer: v.object({ tokens: v.array(Token) }),
  },
  async (call) => {
    const page = parsePage(call.url.searchParams);
    const { entries, next } = await auth.listTokens(call.context, page);
    return pageAnswer(call, { tokens: entries.map(toToken) }, page.limit, next);
  },
);

export const createToken = endpoint(
  {
    summary: "Makes an access token. With any username, it serves as a password.",
    body: v.strictObject({
      name: Name,
      repositories: v.pipe(
        v.array(RepositoryPatternText, "give a list of repository patterns"),
        v.minLength(1, "give at least one repository pattern"),
        v.maxLength(REPOSITORIES_MAX, `give at most ${REPOSITORIES_MAX} repository patterns`),
      ),
      actions: Actions,
      expires: v.pipe(Life, v.description("After how long it ends: a duration, or never.")),
    }),
    status: 201,
    answer: v.object({ ...Token.entries, token: v.pipe(v.string(), v.description("Shown this once.")) }),
  },
  async ({ context, caller, body }) => {
    const { expires: lifeMs, ...order } = body;
    const { token, text } = await auth.createToken(context, { ...order, lifeMs }, caller.actor);
    return { ...toToken(token), token: text };
  },
);

export const revokeToken = endpoint(
  { summary: "Revokes an access token, and takes away all rules for it.", status: 204 },
  async (call) => {
    await auth.revokeToken(call.context, nameOf(call), call.caller.actor);
  },
);
