import { COLLECTION_MUTATIONS } from "./collection-mutations.ts";
import type { Replacement } from "./scale.ts";
import { TAG_MUTATIONS } from "./tag-mutations.ts";

/** A planted bug: the simulation must find it. */
export interface Mutation {
  readonly name: string;
  /** Texts within SQL statements, as they pass to the database. At least one statement of each history set must hold each. */
  readonly sql?: readonly (readonly [from: string, to: string])[];
  /** Texts within files of src, as they are loaded. */
  readonly source?: readonly Replacement[];
  /** The seeds within which it is found, several times what it took. */
  readonly seeds: number;
  /** It takes many histories: more than the gate waits for. `npm run simulate -- --planted` looks for it. */
  readonly isRare?: true;
}

/** Each is one line, and stands for a thought that someone could have had. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "no-discard-grace",
    sql: [["WHERE discarded_at <= ?1", "WHERE discarded_at <= ?1 + 600000"]],
    seeds: 50_000,
    isRare: true,
  },
  {
    name: "no-hold-in-commit",
    sql: [["(?1 IS NULL OR EXISTS (SELECT 1 FROM upload_sessions WHERE id = ?1 AND writer = ?2))", "TRUE"]],
    seeds: 5_000,
  },
  {
    name: "no-objections",
    sql: [["OR NOT EXISTS (\n  SELECT w.value", "OR TRUE OR NOT EXISTS (\n  SELECT w.value"]],
    seeds: 2_000,
  },
  {
    name: "held-content-is-deleted",
    sql: [["AND NOT EXISTS (SELECT mr.manifest_digest", "AND EXISTS (SELECT 1 UNION SELECT mr.manifest_digest"]],
    seeds: 2_000,
  },
  {
    name: "discards-what-became-a-blob",
    sql: [["WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE object_key = o.value ->> 'key')", "WHERE TRUE"]],
    seeds: 5_000,
    isRare: true,
  },
  {
    name: "leaves-leftovers",
    source: [
      {
        file: "registry/uploads.ts",
        from: "sessions.commitSession(db, hold, entry, leftovers)",
        to: "sessions.commitSession(db, hold, entry, leftovers.slice(0, 0))",
      },
    ],
    seeds: 2_000,
  },
  ...COLLECTION_MUTATIONS,
  ...TAG_MUTATIONS,
];

export function findMutation(name: string): Mutation {
  const mutation = MUTATIONS.find((known) => known.name === name);
  if (!mutation) throw new Error(`there is no mutation ${name}; there are: ${MUTATIONS.map((m) => m.name).join(", ")}`);
  return mutation;
}
