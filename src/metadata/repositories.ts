import type { PageRequest } from "../oci/page.ts";
import type { RepositoryName } from "../oci/repository-name.ts";

/** A statement with one row if the repository exists. */
export function selectRepository(db: D1Database, name: RepositoryName): D1PreparedStatement {
  return db.prepare("SELECT id FROM repositories WHERE name = ?1").bind(name);
}

/** Names in byte order, one more than asked for if there are more. One query. */
export async function listRepositories(db: D1Database, page: PageRequest): Promise<string[]> {
  const { results } = await db
    .prepare("SELECT name FROM repositories WHERE name > ?1 ORDER BY name LIMIT ?2")
    .bind(page.last, page.limit + 1)
    .all<{ name: string }>();
  return results.map((row) => row.name);
}
