import { get, list } from "./api.ts";
import type { RepositoryEntry } from "./api-types.ts";
import type { AuditEvent, Usage } from "./operate/answers.ts";
import { type Known, monthAgo, pullsOfMonth, pushesOfMonth } from "./operate/month.ts";
import { type Resource, useResource } from "./resource.ts";

/** The most pulled repositories, and the newest pushes: as many as tell what a month is like. */
const SAMPLE = 200;

/** What the registry knows of what a month costs: what is stored, pulled and pushed. */
export function useKnownMonth(): Resource<Known> {
  return useResource("month", async (signal) => {
    const now = Date.now();
    const [usage, { body: pulled }, { body: pushed, next }] = await Promise.all([
      get<Usage>("/api/usage", {}, { signal }),
      list<{ repositories: RepositoryEntry[] }>(
        "/api/repositories",
        { sort: "pulls", order: "desc", n: SAMPLE },
        signal,
      ),
      list<{ events: AuditEvent[] }>(
        "/api/audit",
        { action: "manifest.push", since: monthAgo(now), n: SAMPLE },
        signal,
      ),
    ]);
    return {
      usage,
      pulls: pullsOfMonth(pulled.repositories, now),
      pushes: pushesOfMonth(pushed.events, next === undefined, now),
    };
  });
}
