import * as v from "valibot";
import { isTag, type Tag } from "../../src/oci/reference.ts";
import { Failure } from "../local/failure.ts";
import { readPages } from "./pages.ts";
import { pathOf, type Repository, scopeOf, titleOf } from "./repository.ts";

const TagsSchema = v.object({ tags: v.optional(v.nullable(v.array(v.string())), null) });

/**
 * Spec end-8a and 8b: all tags, a page at a time.
 * @throws Refusal with 404 where there is no such repository.
 */
export async function* listTags(repository: Repository): AsyncGenerator<Tag> {
  const list = { path: pathOf(repository, "tags/list?n=1000"), scope: scopeOf(repository, "pull") };
  const pages = readPages(repository.connection, list);
  for await (const { json } of pages) {
    const page = v.safeParse(TagsSchema, json);
    if (!page.success) throw new Failure(`${titleOf(repository)} answers with no list of tags: is it a registry?`);
    yield* (page.output.tags ?? []).filter(isTag);
  }
}
