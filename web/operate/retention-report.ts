import type { RetentionReport } from "./answers.ts";

/** Asks once: with nothing, or with the `last` of the answer before. */
type Ask = (last: string | undefined) => Promise<RetentionReport>;

const NOTHING: RetentionReport = { repositories: [], bytes: 0, isComplete: false };

/**
 * Asks until there is no more, and adds up. `tell` is called with what is known so far.
 * @throws Error where the registry does not get on.
 */
export async function askToTheEnd(ask: Ask, tell: (soFar: RetentionReport) => void): Promise<RetentionReport> {
  let sum = NOTHING;
  let last: string | undefined;
  for (;;) {
    const step = await ask(last);
    sum = {
      repositories: [...sum.repositories, ...step.repositories],
      bytes: sum.bytes + step.bytes,
      isComplete: step.isComplete,
    };
    if (step.isComplete) return sum;
    if (step.last === last && countTags(step).gone === 0) throw new Error("the registry does not get on: try later");
    last = step.last;
    tell(sum);
  }
}

/** How many tags go, and how many stay. */
export function countTags({ repositories }: Pick<RetentionReport, "repositories">): { gone: number; kept: number } {
  const tags = repositories.flatMap((report) => report.tags);
  const gone = tags.filter(({ keep }) => !keep).length;
  return { gone, kept: tags.length - gone };
}
