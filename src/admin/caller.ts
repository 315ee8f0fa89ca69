import * as v from "valibot";
import { endpoint } from "./endpoint.ts";

export const showCaller = endpoint(
  {
    summary: "Says who the caller is.",
    answer: v.object({
      actor: v.string(),
      role: v.nullable(v.picklist(["admin", "member"])),
      credential: v.pipe(v.string(), v.description("What was proved with: password, token ID, or oidc ISSUER.")),
    }),
  },
  // eslint-disable-next-line @typescript-eslint/require-await -- a handler
  async ({ caller: { actor, role } }) => ({ actor: actor.name, role: role ?? null, credential: actor.credential }),
);
