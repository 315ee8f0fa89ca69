import { expectStatus, send, sendAnonymously } from "./registry.ts";
import type { Person } from "./people.ts";

/** What `GET /v1/search` answers. */
export interface SearchAnswer {
  readonly query: string;
  readonly num_results: number;
  readonly num_pages: number;
  readonly page: number;
  readonly page_size: number;
  readonly results: readonly {
    readonly name: string;
    readonly description: string;
    readonly star_count: number;
    readonly is_official: boolean;
    readonly is_automated: boolean;
  }[];
}

/** A word that no other test uses, of letters alone. */
export function freshWord(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => String.fromCodePoint(97 + (byte % 26))).join(
    "",
  );
}

/** The path of a search. */
export const searchPath = (q: string, more: Readonly<Record<string, string>> = {}): string =>
  `/v1/search?${new URLSearchParams({ q, ...more }).toString()}`;

/** As Docker asks: as someone, as nobody, or as the admin. */
export async function ask(path: string, person: Person | "nobody" | "admin" = "admin"): Promise<SearchAnswer> {
  const docker = { "X-Docker-Token": "true" };
  const response =
    person === "admin"
      ? await send("GET", path, { headers: docker })
      : await sendAnonymously("GET", path, { headers: { ...docker, ...(person === "nobody" ? {} : person.basic) } });
  return await (await expectStatus(response, 200)).json<SearchAnswer>();
}

/** The names that a search finds, in its order. */
export async function namesFound(q: string, person: Person | "nobody" | "admin" = "admin"): Promise<string[]> {
  return (await ask(searchPath(q, { n: "100" }), person)).results.map(({ name }) => name);
}
