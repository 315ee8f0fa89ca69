import type { Context } from "../context.ts";
import * as metadata from "../metadata/readmes.ts";
import type { About } from "../metadata/readmes.ts";
import type { RepositoryName } from "../oci/repository-name.ts";
import type { Actor } from "../policy/actor.ts";
import { type Asker, seen, unknownRepository } from "./reading.ts";

/** A page of text: a row of the database, and of the answer, that nobody notices. */
export const README_MAX_BYTES = 64 * 1024;

/** {@link About}, and where it is from: what someone uploaded goes before what the newest tag says. */
export interface Readme extends About {
  readonly source: "uploaded" | "annotations" | null;
}

/** What a repository says of itself, for someone who may see it or not. One D1 round trip. Throws NAME_UNKNOWN. */
export async function findReadme({ db }: Context, asker: Asker): Promise<Readme> {
  const about = seen(asker, await metadata.findAbout(db, asker));
  if (!about) throw unknownRepository(asker.repository);
  const { readme, annotations } = about;
  const description = about.description ?? annotations?.description ?? null;
  const source = readme !== null ? "uploaded" : annotations !== null ? "annotations" : null;
  return { readme, annotations, description, source };
}

/** Stores a readme of at most {@link README_MAX_BYTES}, in Markdown; an empty one goes. One D1 round trip. Throws NAME_UNKNOWN. */
export async function setReadme(
  { db, now }: Context,
  { repository, readme, actor }: { repository: RepositoryName; readme: string; actor: Actor },
): Promise<void> {
  const isSaved = await metadata.saveReadme(db, { repository, readme, actor, now: now() });
  if (!isSaved) throw unknownRepository(repository);
}
