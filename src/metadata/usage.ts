/** What is stored in all repositories. */
export interface Usage {
  readonly repositories: number;
  /** Objects in the bucket of blobs and manifests, until R2 has deleted them. Uploads under way are not among them. */
  readonly objects: number;
  /** Of these objects. */
  readonly bytes: number;
  /** Of the database, with its indexes. */
  readonly databaseBytes: number;
}

/** The counts that triggers keep. One query of one row. */
export async function readUsage(db: D1Database): Promise<Usage> {
  const { results, meta } = await db
    .prepare("SELECT repositories, objects, bytes FROM usage WHERE id = 1")
    .all<Omit<Usage, "databaseBytes">>();
  const [counts] = results;
  if (counts === undefined) throw new Error("the table usage has lost its row");
  return { ...counts, databaseBytes: meta.size_after };
}
