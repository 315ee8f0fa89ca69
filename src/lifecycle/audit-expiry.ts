import type { Context } from "../context.ts";
import { forgetAuditEvents } from "../metadata/audit.ts";

/** Events forgotten in one run; the next run goes on. */
const BATCH = 1_000;

/** Forgets a batch of audit events that are older than AUDIT_TTL. Returns how many. */
export async function expireAuditEvents({ db, config, now }: Context): Promise<number> {
  return await forgetAuditEvents(db, now() - config.auditTtlMs, BATCH);
}
