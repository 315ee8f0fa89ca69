import type { Context } from "../context.ts";
import { measureMirrored, type MirroredUsage } from "../metadata/mirrored.ts";
import { listStatuses, type UpstreamStatus } from "../metadata/upstream-status.ts";
import type { Upstream } from "../policy/upstream.ts";

/** An upstream of the settings, with what is known of it. */
export interface UpstreamOverview {
  readonly upstream: Upstream;
  /** Undefined: it was never asked. */
  readonly status: UpstreamStatus | undefined;
  /** What is here of it. */
  readonly usage: MirroredUsage;
}

const NOTHING: MirroredUsage = { repositories: 0, bytes: 0 };

/** All upstreams, in the order of the settings. Two D1 queries, of which one reads the rows of all repositories that mirror another. */
export async function listUpstreams({ config, db }: Context): Promise<UpstreamOverview[]> {
  const names = config.upstreams.map(({ name }) => name);
  const [statuses, usages] = await Promise.all([listStatuses(db, names), measureMirrored(db, names)]);
  return config.upstreams.map((upstream) => ({
    upstream,
    status: statuses.get(upstream.name),
    usage: usages.get(upstream.name) ?? NOTHING,
  }));
}
