// The shapes of the admin API's answers that only the operating pages show; docs/api.md tells what they mean.

import type { Action } from "../api-types.ts";

export interface Usage {
  readonly repositories: number;
  readonly objects: number;
  readonly bytes: number;
  /** Of these, what only mirrors hold. */
  readonly mirroredBytes: number;
  readonly databaseBytes: number;
}

/** What was stored at the end of a day, `2026-11-21`. */
export interface UsageDay {
  readonly day: string;
  readonly repositories: number;
  readonly objects: number;
  readonly bytes: number;
  readonly mirroredBytes: number;
}

export interface Candidate {
  readonly kind: "manifest" | "blob";
  readonly repository: string | null;
  readonly digest: string;
  readonly size: number;
  readonly freed: number;
  readonly reason: "untagged" | "deleted" | "unreferenced" | "unlinked";
  readonly since: string | null;
  readonly dueAt: string | null;
}

export interface Outcome {
  readonly marked: number;
  readonly condemned: number;
  readonly manifests: number;
  readonly links: number;
  readonly blobs: number;
  readonly bytes: number;
}

export interface CollectionRun {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly outcome: Outcome;
}

export interface MissingObject {
  readonly key: string;
  readonly digest: string;
  readonly foundAt: string;
}

export interface Collection {
  readonly due: readonly Candidate[];
  readonly waiting: readonly Candidate[];
  readonly freed: number;
  readonly runs: readonly CollectionRun[];
  readonly missing: readonly MissingObject[];
  readonly isComplete: boolean;
}

/** A retention rule as it is given. */
export interface RetentionRule {
  readonly repository: string;
  readonly tags?: readonly string[];
  readonly never?: readonly string[];
  /** A condition: docs/api.md. */
  readonly keep: unknown;
  readonly mayEmpty?: boolean;
}

export interface RecordedRetentionRule {
  readonly name: string;
  readonly rule: RetentionRule;
  /** Of a rule that the setting UPSTREAMS is: whose mirrors it is for. Nobody changes it here, and it needs no preview. */
  readonly upstream: string | null;
  readonly previewedAt: string | null;
  readonly createdAt: string | null;
  readonly createdBy: string | null;
}

export interface RepositoryReport {
  readonly repository: string;
  readonly tags: readonly {
    readonly tag: string;
    readonly digest: string;
    readonly keep: boolean;
    readonly reason: string;
  }[];
  readonly manifests: readonly { readonly digest: string; readonly size: number; readonly reason: string }[];
  readonly bytes: number;
  readonly skipped?: string;
}

export interface RetentionReport {
  readonly repositories: readonly RepositoryReport[];
  readonly bytes: number;
  readonly isComplete: boolean;
  readonly last?: string;
}

export interface Grant {
  readonly repository: string;
  readonly actions: readonly Action[];
}

export interface Token {
  readonly name: string;
  readonly id: string;
  readonly grants: readonly Grant[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

export interface TrustRule {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly claims: Readonly<Record<string, string>>;
  readonly repositories: readonly string[];
  readonly actions: readonly Action[];
  readonly hasKeys: boolean;
  readonly createdAt: string;
  readonly createdBy: string;
}

export interface Account {
  readonly name: string;
  readonly role: "admin" | "member";
  readonly createdAt: string;
  readonly createdBy: string;
}

export interface PolicyRule extends Grant {
  readonly subject: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

export interface PolicyCheck {
  readonly subject: string;
  readonly repository: string;
  readonly actions: readonly Action[];
  readonly rules: readonly (Grant & { readonly subject: string })[];
  readonly trust?: readonly Grant[];
}

export interface AuditEvent {
  readonly id: number;
  readonly occurredAt: string;
  readonly actor: string;
  readonly credential: string;
  readonly action: string;
  readonly repository: string | null;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

/** Pulls that an upstream allows; `window` is in seconds. */
export interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
  readonly window: number | null;
}

export interface Upstream {
  readonly name: string;
  readonly url: string;
  readonly hasCredentials: boolean;
  readonly repositories: readonly string[];
  readonly anonymous: boolean;
  readonly root: boolean | readonly string[];
  readonly freshness: string;
  readonly stale: string;
  readonly cooldown: string;
  readonly kept: string;
  readonly mirrored: { readonly repositories: number; readonly bytes: number };
  readonly answeredAt: string | null;
  readonly failedAt: string | null;
  readonly failure: string | null;
  readonly rateLimit: (RateLimit & { readonly seenAt: string }) | null;
}

export interface UpstreamCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
  readonly milliseconds: number;
}
