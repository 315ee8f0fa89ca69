const LIMIT = { limit: 200, remaining: 176, window: 21_600 };

/** An upstream, as the API lists it. */
export const HUB = {
  ...{ name: "docker.io", url: "https://registry-1.docker.io", hasCredentials: true, anonymous: true },
  ...{ repositories: ["library/*"], root: true, freshness: "5m", stale: "never", cooldown: "0s", kept: "30d" },
  ...{ mirrored: { repositories: 1, bytes: 3 * 1024 ** 2 }, answeredAt: "2026-06-15T11:57:00Z" },
  ...{ failedAt: null, failure: null, rateLimit: { ...LIMIT, seenAt: "2026-06-15T11:57:00Z" } },
};

/** What comes of asking it. */
export const CHECK = {
  ...{ name: "docker.io", ok: true, message: "docker.io answers, and lets anyone in", milliseconds: 40 },
  ...{ digest: null, rateLimit: LIMIT },
};
