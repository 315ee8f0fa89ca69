import type { Context } from "../context.ts";
import type { StoredConfig } from "../metadata/image-configs.ts";
import { findUnread, indexImages } from "../metadata/image-words.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import { readConfigs } from "./image-configs.ts";

/**
 * Makes a repository found by what its images say now, and by nothing that they say no more. One class B operation for each config
 * that nobody has read before, and one D1 round trip. What fails is for the schedule to do.
 */
export async function indexRepository(
  context: Context,
  repository: RepositoryName,
  unread: readonly StoredConfig[],
): Promise<void> {
  await indexImages(context.db, repository, await readConfigs(context, unread));
}

/** {@link indexRepository}, where tags have moved since it was last done. One D1 query more; just that where they have not. */
export async function indexWhereDue(context: Context, repository: RepositoryName): Promise<void> {
  const unread = await findUnread(context.db, repository);
  if (unread) await indexRepository(context, repository, unread);
}
