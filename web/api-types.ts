// The shapes of the admin API's answers that the page shows; docs/api.md tells what they mean. Times are RFC 3339, sizes bytes.

/** What the caller may do with a repository. */
export type Action = "pull" | "push" | "delete";

export type Visibility = "public" | "private";

export interface Caller {
  readonly actor: string;
  readonly role: "admin" | "member" | null;
}

export interface RepositoryEntry {
  readonly name: string;
  readonly visibility: Visibility;
  /** The upstream that it mirrors; null: it is one of our own. */
  readonly upstream: string | null;
  readonly description: string | null;
  readonly tags: number;
  readonly size: number;
  /** Of it, what no other repository has: what its deletion frees. Null for who may not see all repositories. */
  readonly uniqueSize: number | null;
  readonly createdAt: string;
  readonly pushedAt: string | null;
  readonly pulledAt: string | null;
  readonly pulls: number;
}

export interface RepositoryDetails extends RepositoryEntry {
  readonly manifests: number;
  readonly actions: readonly Action[];
  readonly immutableTags: readonly { readonly repository: string; readonly except: readonly string[] }[];
  readonly expiringTags: readonly { readonly repository: string }[];
  readonly hasReadme: boolean;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface TagEntry {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly kind: "image" | "index" | "artifact";
  readonly platforms: readonly (Platform & { readonly digest: string; readonly size: number })[];
  readonly size: number;
  readonly updatedAt: string;
  readonly pushedAt: string;
  /** Null for who has not signed in. */
  readonly pushedBy: string | null;
  readonly pulledAt: string | null;
  readonly expiresAt: string | null;
  readonly immutable: boolean;
}

export interface TagEvent {
  readonly id: number;
  readonly digest: string | null;
  readonly previousDigest: string | null;
  /** Null for who has not signed in. */
  readonly actor: string | null;
  readonly occurredAt: string;
  readonly isAvailable: boolean;
}

export interface Readme {
  readonly readme: string | null;
  readonly description: string | null;
  readonly source: "uploaded" | "annotations" | null;
  readonly annotations: Readonly<Record<string, string>> | null;
}

/** What a deletion takes, once collection took what nothing needs any more. */
export interface DeletionPreview {
  readonly tags: readonly string[];
  readonly manifests: number;
  readonly bytes: number;
}
