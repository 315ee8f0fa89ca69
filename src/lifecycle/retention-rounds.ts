import type { Context } from "../context.ts";
import { logError, logInfo } from "../log.ts";
import { findRetentionRound, saveRetentionRound } from "../metadata/retention-rounds.ts";
import { isConcerned, removeIn } from "./retention-reports.ts";
import { mirrorRules } from "./mirror-rules.ts";
import { isRunning, takeTurns, type Turn } from "./retention-turns.ts";

/** Whom the audit names for what nobody asked for; the history of a tag names the rule. */
const ACTOR = { name: "stowage:retention", credential: "none" };

/** From the beginning of one round to that of the next: a repository has its turn four times a day, as long as a round fits. */
const ROUND_MS = 6 * 3_600_000;

/** Looks of one tick, of 100 repositories each. */
const LOOKS = 2;

/** Repositories with something to remove that one tick deals with. */
const CASES_MAX = 20;

/**
 * Lets all rules run that were previewed, or follow from the settings, over the next repositories of the round; the next tick goes on. A repository that
 * fails, or that the Worker dies of, waits for the next round, and holds up no other. One D1 query where there are no such rules
 * or the round is over; else two round trips for each look, and four for each repository with something to remove.
 * @returns how many tags it removed.
 */
export async function keepRetention(context: Context): Promise<number> {
  const { db, config } = context;
  const now = context.now();
  const round = await findRetentionRound(db, mirrorRules(config.upstreams).length > 0);
  if (!round || (round.after === null && now < round.startedAt + ROUND_MS)) return 0;
  const startedAt = round.after === null ? now : round.startedAt;
  const errors: unknown[] = [];
  let [removed, cases] = [0, 0];
  const take = async (turn: Turn) => {
    if (!isConcerned(turn, now)) return "go on";
    // First: whatever happens from here on, the next tick begins after it.
    await saveRetentionRound(db, { after: turn.repository, startedAt });
    try {
      removed += await removeQuietly(context, turn);
    } catch (error) {
      logError("retention failed in a repository", error, { repository: turn.repository });
      errors.push(error);
    }
    cases += 1;
    return cases >= CASES_MAX ? "enough" : "go on";
  };
  const after = round.after ?? "";
  const end = await takeTurns(context, { scope: { kind: "running" }, isRemover: isRunning, after, looks: LOOKS }, take);
  await saveRetentionRound(db, { after: end ?? null, startedAt });
  if (errors.length > 0) throw new AggregateError(errors, "retention failed in some repositories");
  return removed;
}

async function removeQuietly(context: Context, turn: Turn): Promise<number> {
  const { report } = await removeIn(context, turn, ACTOR);
  const { repository, skipped, tags } = report;
  if (skipped !== undefined) logInfo("retention passed over a repository", { repository, reason: skipped });
  return tags.length;
}
