import * as v from "valibot";
import { isRepositoryName, type RepositoryName } from "../../src/oci/repository-name.ts";
import { Failure } from "../local/failure.ts";
import { Refusal } from "../stowage/http.ts";
import type { Connection } from "./connection.ts";
import { readPages } from "./pages.ts";

const CatalogSchema = v.object({ repositories: v.nullable(v.array(v.string())) });

/**
 * Docker's `_catalog`: all repositories that the caller may see, a page at a time.
 * @throws Failure where there is no such list, as with those of many tenants.
 */
export async function* listRepositories(connection: Connection): AsyncGenerator<RepositoryName> {
  const { host } = connection.endpoint;
  const none = `${host} has no list of its repositories: name them one by one`;
  try {
    // distribution takes no more than 1000.
    for await (const { json } of readPages(connection, { path: "/v2/_catalog?n=1000", scope: "registry:catalog:*" })) {
      const page = v.safeParse(CatalogSchema, json);
      if (!page.success) throw new Failure(none);
      yield* (page.output.repositories ?? []).filter(isRepositoryName);
    }
  } catch (error) {
    if (!(error instanceof Refusal) || ![401, 403, 404, 405].includes(error.status)) throw error;
    throw new Failure(`${none} (${error.message})`);
  }
}
