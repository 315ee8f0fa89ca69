import * as v from "valibot";
import { OciError } from "../oci/error.ts";
import { parsePage } from "../oci/page.ts";
import { toTime } from "../oci/time.ts";
import * as registry from "../registry/audit.ts";
import { endpoint, pageAnswer } from "./endpoint.ts";
import { PAGE_QUERY, Time } from "./schemas.ts";

const Event = v.object({
  id: v.number(),
  occurredAt: v.string(),
  actor: v.string(),
  credential: v.pipe(v.string(), v.description("What the actor proved it with: password, token ID, or oidc ISSUER.")),
  action: v.string(),
  repository: v.nullable(v.string()),
  tag: v.nullable(v.string()),
  digest: v.nullable(v.string()),
  detail: v.nullable(v.record(v.string(), v.unknown())),
});

export const listAuditEvents = endpoint(
  {
    summary: "Lists who changed what, newest first.",
    query: v.strictObject({
      ...PAGE_QUERY,
      repository: v.optional(v.string()),
      actor: v.optional(v.string()),
      action: v.optional(v.string()),
      since: v.optional(Time),
    }),
    answer: v.object({ events: v.array(Event) }),
  },
  async (call) => {
    const { repository, actor, action, since } = call.query;
    const { limit, last } = parsePage(call.url.searchParams);
    if (!/^\d{0,16}$/.test(last)) {
      throw new OciError("PAGINATION_NUMBER_INVALID", { message: "last is not from a Link of this list" });
    }
    const { entries, next } = await registry.listAuditEvents(call.context, {
      ...{ repository, actor, action, limit },
      since: since === undefined ? undefined : Date.parse(since),
      before: last === "" ? undefined : Number(last),
    });
    const events = entries.map((event) => ({ ...event, occurredAt: toTime(event.occurredAt) }));
    return pageAnswer(call, { events }, limit, next);
  },
);
