import type { Context } from "../context.ts";
import { markPreviewed } from "../metadata/retention-rules.ts";
import { OciError } from "../oci/error.ts";
import type { Actor } from "../policy/actor.ts";
import { rangeOf } from "../policy/pattern.ts";
import type { RetentionRule } from "./retention/rule.ts";
import { isConcerned, previewIn, removeIn, type RepositoryReport, type WeighedReport } from "./retention-reports.ts";
import { noSuchRule } from "./retention-rules.ts";
import { isRunning, type NamedRule, takeTurns } from "./retention-turns.ts";

export type { RepositoryReport } from "./retention-reports.ts";

/** Looks of one call; a preview also tells of what stays, and that has to fit into an answer. */
const LOOKS = { preview: 10, run: 100 };

/** After as many repositories with something to remove, or as many rows, a call is over; whoever asked asks again. */
const CASES_MAX = 25;
const ROWS_MAX = 150_000;
const SHOWN_ROWS_MAX = 20_000;

/** What a call has come to. */
export interface RetentionReport {
  readonly repositories: readonly RepositoryReport[];
  readonly bytes: number;
  /** Where the next call goes on; undefined when there is no more. */
  readonly last: string | undefined;
}

/** A rule that nobody stored has no name. */
const GIVEN_NAME = "(given)";

/** Where a call goes on: after a repository, by a rule that is still the same. */
interface Cursor {
  readonly after: string;
  readonly createdAt: number | undefined;
}

function parseCursor(last: string | undefined): Cursor {
  if (last === undefined) return { after: "", createdAt: undefined };
  const [, createdAt, after] = /^(\d{1,16}):(.+)$/.exec(last) ?? [];
  if (after === undefined) throw new OciError("REQUEST_INVALID", { message: "last is not from an answer of this" });
  return { after, createdAt: Number(createdAt) };
}

/** Watches over one rule while a call, and those that go on from it, ask for it by name. */
class Watch {
  readonly #name: string;
  #createdAt: number | undefined;

  constructor(name: string, { createdAt }: Cursor) {
    this.#name = name;
    this.#createdAt = createdAt;
  }

  /** The time of the rule, 0 of one that follows from the settings: there is one from the first look on. */
  get createdAt(): number {
    return this.#createdAt ?? 0;
  }

  /** Throws NOT_FOUND, or CONFLICT where it is another rule than before. */
  inspect(rules: readonly NamedRule[]): NamedRule {
    const rule = rules.find(({ name }) => name === this.#name);
    if (!rule) throw noSuchRule(this.#name);
    this.#createdAt ??= rule.createdAt;
    if (this.#createdAt === rule.createdAt) return rule;
    throw new OciError("CONFLICT", {
      message: `the retention rule ${this.#name} has changed: begin again, without last`,
    });
  }
}

/** Adds reports up until it is enough. */
class Sum {
  readonly repositories: RepositoryReport[] = [];
  #rows = 0;
  #cases = 0;
  readonly #rowsMax: number;

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  add({ report, rows }: WeighedReport): "go on" | "enough" {
    this.repositories.push(report);
    this.#rows += rows;
    if (report.skipped !== undefined || report.tags.some(({ keep }) => !keep)) this.#cases += 1;
    return this.#rows >= this.#rowsMax || this.#cases >= CASES_MAX ? "enough" : "go on";
  }

  toReport(last: string | undefined, createdAt: number): RetentionReport {
    const bytes = this.repositories.reduce((sum, report) => sum + report.bytes, 0);
    return { repositories: this.repositories, bytes, last: last === undefined ? undefined : `${createdAt}:${last}` };
  }
}

/**
 * What the stored rule of a name would remove now, or one that is given; all stored rules protect. Changes nothing but that a
 * rule whose last repository has been told of counts as previewed. A bounded number of D1 round trips: two for each look, one
 * for each repository with something to remove.
 * @throws OciError NOT_FOUND; CONFLICT where the rule has changed since `last`.
 */
export async function previewRetention(
  context: Context,
  target: { readonly name: string } | { readonly rule: RetentionRule },
  last: string | undefined,
): Promise<RetentionReport> {
  const cursor = parseCursor(last);
  const sum = new Sum(SHOWN_ROWS_MAX);
  const take = async (turn: Parameters<typeof previewIn>[1]) => {
    if (turn.tags?.length === 0) return "go on";
    return sum.add(await previewIn(context, turn));
  };
  const shared = { after: cursor.after, looks: LOOKS.preview };
  if ("rule" in target) {
    const { rule } = target;
    const given: NamedRule = {
      ...{ name: GIVEN_NAME, repository: rule.repository, rule, upstream: null, previewedAt: null, createdAt: 0 },
    };
    const scope = { kind: "range", range: rangeOf(rule.repository) } as const;
    const end = await takeTurns(context, { ...shared, scope, given: [given], isRemover: (one) => one === given }, take);
    return sum.toReport(end, 0);
  }
  const { name } = target;
  const watch = new Watch(name, cursor);
  const inspect = (rules: readonly NamedRule[]) => void watch.inspect(rules);
  const scope = { kind: "rule", name } as const;
  const end = await takeTurns(context, { ...shared, scope, isRemover: (rule) => rule.name === name, inspect }, take);
  if (end === undefined) await markPreviewed(context.db, { name, createdAt: watch.createdAt }, context.now());
  return sum.toReport(end, watch.createdAt);
}

/**
 * Removes what the rule of a name removes now, or all rules that run. The answer tells only of what is gone. A bounded
 * number of D1 round trips: two for each look, two or more for each repository with something to remove.
 * @throws OciError NOT_FOUND; CONFLICT for a rule that was never previewed, or has changed since `last`.
 */
export async function runRetention(
  context: Context,
  { name, last, actor }: { name: string | undefined; last: string | undefined; actor: Actor },
): Promise<RetentionReport> {
  const cursor = parseCursor(last);
  const watch = name === undefined ? undefined : new Watch(name, cursor);
  const sum = new Sum(ROWS_MAX);
  const inspect = (rules: readonly NamedRule[]) => {
    const rule = watch?.inspect(rules);
    if (rule === undefined || isRunning(rule)) return;
    throw new OciError("CONFLICT", {
      message: `the retention rule ${name ?? ""} was never previewed: preview it to its end first`,
    });
  };
  const end = await takeTurns(
    context,
    {
      scope: name === undefined ? { kind: "running" } : { kind: "rule", name },
      isRemover: (rule) => isRunning(rule) && (name === undefined || rule.name === name),
      ...{ inspect, after: cursor.after, looks: LOOKS.run },
    },
    async (turn) => {
      if (!isConcerned(turn, context.now())) return "go on";
      const weighed = await removeIn(context, turn, actor);
      const isTold = weighed.report.tags.length > 0 || weighed.report.skipped !== undefined;
      return isTold ? sum.add(weighed) : "go on";
    },
  );
  return sum.toReport(end, watch?.createdAt ?? 0);
}
