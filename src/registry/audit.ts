import type { Context } from "../context.ts";
import * as metadata from "../metadata/audit.ts";
import type { AuditEvent, AuditFilter } from "../metadata/audit.ts";
import { type Page, toPage } from "../oci/page.ts";
import { listFromReplica } from "./replica.ts";

export type { AuditEvent, AuditFilter } from "../metadata/audit.ts";

/** Events, newest first; the cursor is the id of the last one. One D1 query. */
export async function listAuditEvents(context: Context, filter: AuditFilter): Promise<Page<AuditEvent>> {
  const events = await listFromReplica(context, async (db) => await metadata.listAuditEvents(db, filter));
  return toPage(events, filter.limit, ({ id }) => String(id));
}
