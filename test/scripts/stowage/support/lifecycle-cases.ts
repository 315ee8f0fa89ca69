import type { StandInAnswer } from "./stand-in.ts";

/** A command, the request that it makes, the body of that, the answer; and the JSON, where it is not the answer. */
export type Case = [command: string, request: string, body: unknown, answer: StandInAnswer, json?: unknown];

const TIME = "2026-06-12T12:00:00Z";
export const DIGEST = `sha256:${"ab".repeat(32)}`;
const OTHER_DIGEST = `sha512:${"cd".repeat(64)}`;
const ADDRESS = { repository: "team/web", tag: "1" };

export const OUTCOME = { marked: 1, condemned: 2, manifests: 3, links: 4, blobs: 5, bytes: 3 * 1024 ** 2 };
const CANDIDATE = {
  ...{ kind: "manifest", repository: "team/web", digest: DIGEST, size: 2048, freed: 2048, reason: "untagged" },
  ...{ since: TIME, dueAt: "2026-06-13T12:00:00Z" },
};
export const COLLECTION = {
  due: [CANDIDATE],
  waiting: [
    { ...CANDIDATE, dueAt: "2026-06-17T12:00:00Z", reason: "deleted" },
    { ...CANDIDATE, kind: "blob", freed: 0, reason: "unreferenced", since: null, dueAt: null },
    { ...CANDIDATE, dueAt: null },
    { ...CANDIDATE, kind: "blob", repository: null, reason: "unlinked" },
  ],
  freed: 2048,
  runs: [{ startedAt: TIME, endedAt: TIME, outcome: OUTCOME }],
  missing: [{ key: "blobs/ab", digest: DIGEST, foundAt: TIME }],
  isComplete: true,
};
const NOTHING_TO_COLLECT = { due: [], waiting: [], freed: 0, runs: [], missing: [], isComplete: true };

export const TAG = { name: "1", digest: DIGEST, updatedAt: TIME, expiresAt: "2026-06-22T12:00:00Z", immutable: false };
export const EVENT = {
  ...{ id: 7, digest: DIGEST, previousDigest: null, actor: "account:alice", occurredAt: TIME, isAvailable: true },
};
export const RULE = {
  ...{ name: "dev", rule: { repository: "team/**", tags: ["dev-*"], keep: { newest: 2 } } },
  ...{ upstream: null, previewedAt: null },
  ...{ createdAt: TIME, createdBy: "account:admin" },
};
const REMOVED = { tag: "dev-1", digest: DIGEST, keep: false, reason: "not among the 2 newest" };
const KEPT = { tag: "dev-9", digest: DIGEST, keep: true, reason: "the newest" };
const LOST = { digest: DIGEST, size: 512, reason: "untagged by rule 1" };
export const PREVIEW = {
  repositories: [
    { repository: "team/web", tags: [KEPT, REMOVED], manifests: [LOST], bytes: 5 * 1024 ** 3 },
    { repository: "team/api", tags: [KEPT], manifests: [], bytes: 0 },
  ],
  ...{ bytes: 5 * 1024 ** 3, isComplete: true },
};
export const REMOVAL = {
  repositories: [{ repository: "team/web", tags: [REMOVED], manifests: [LOST], bytes: 1024 }],
  ...{ bytes: 1024, isComplete: true },
};

const query = "repository=team%2Fweb&tag=1";
const named = { json: { ...ADDRESS, digest: DIGEST } };

/** What looks after tags and space. */
export const LIFECYCLE_CASES: Case[] = [
  ["gc --dry-run", "GET /api/collection", undefined, { json: COLLECTION }],
  ["gc --dry-run", "GET /api/collection", undefined, { json: NOTHING_TO_COLLECT }],
  ["gc", "POST /api/collection", undefined, { json: { outcome: OUTCOME, isComplete: true } }],
  ["tag list team/web", "GET /api/tags?repository=team%2Fweb", undefined, { json: { tags: [TAG] } }],
  ["tag history team/web 1", `GET /api/tags/history?${query}`, undefined, { json: { events: [EVENT] } }],
  ["tag history team/web:1", `GET /api/tags/history?${query}`, undefined, { json: { events: [EVENT] } }],
  ["tag restore team/web 1", "POST /api/tags/restore", ADDRESS, named],
  [`tag restore team/web:1 --to ${DIGEST}`, "POST /api/tags/restore", { ...ADDRESS, digest: DIGEST }, named],
  [
    "tag expire team/web 1 --after 7d",
    "POST /api/tags/expiry",
    { ...ADDRESS, expires: "7d" },
    { json: { ...ADDRESS, expiresAt: TIME } },
  ],
  [
    "tag expire team/web:1 --after never",
    "POST /api/tags/expiry",
    { ...ADDRESS, expires: "never" },
    { json: { ...ADDRESS, expiresAt: null } },
  ],
  [
    `tag release team/web:1=${DIGEST} team/web:2=${OTHER_DIGEST} api:stable=1.4.2`,
    "POST /api/tags/release",
    {
      releases: [
        { ...ADDRESS, digest: DIGEST },
        { ...ADDRESS, tag: "2", digest: OTHER_DIGEST },
        { repository: "api", tag: "stable", from: "1.4.2" },
      ],
    },
    { json: { releases: [{ ...ADDRESS, digest: DIGEST }] } },
  ],
  [
    "tag at team/web 1 --time 2026-06-12T14:00:00+02:00",
    `GET /api/tags/at?${query}&time=2026-06-12T14%3A00%3A00%2B02%3A00`,
    undefined,
    { json: { ...ADDRESS, time: TIME, digest: DIGEST } },
  ],
  [
    "tag at team/web:1 --time 2026-06-12T12:00:00.5Z",
    `GET /api/tags/at?${query}&time=2026-06-12T12%3A00%3A00.5Z`,
    undefined,
    { json: { ...ADDRESS, time: TIME, digest: null } },
  ],
  [
    "repository set ci/** --expiring-tags on",
    "PATCH /api/repositories/ci/**",
    { expiringTags: true },
    { json: { repository: "ci/**", expiringTags: true } },
  ],
  [
    "repository set ci/** --expiring-tags off --visibility private",
    "PATCH /api/repositories/ci/**",
    { expiringTags: false, visibility: "private" },
    { json: { repository: "ci/**", expiringTags: false, visibility: "private" } },
  ],
  ["retention list", "GET /api/retention", undefined, { json: { rules: [RULE] } }],
  ["retention remove dev --yes", "DELETE /api/retention/dev", undefined, { status: 204 }, null],
  ["retention preview dev", "POST /api/retention/preview", { name: "dev" }, { json: PREVIEW }],
  ["retention run --yes", "POST /api/retention/run", {}, { json: REMOVAL }],
  ["retention run dev --yes", "POST /api/retention/run", { name: "dev" }, { json: REMOVAL }],
];
