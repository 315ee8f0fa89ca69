import { beforeAll, describe, expect, it } from "vitest";
import { pushBlob } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, nextLink, send } from "../support/registry.ts";

const prefix = freshRepository();
const NAMES = ["a", "a-b", "a.b", "a/b", "b", "c"].map((name) => `${prefix}/${name}`);

beforeAll(async () => {
  for (const name of NAMES) await pushBlob(name, "x");
});

async function list(query: string): Promise<string[]> {
  const response = await expectStatus(await send("GET", `/v2/_catalog${query}`), 200);
  return (await response.json<{ repositories: string[] }>()).repositories;
}

describe("the catalog", () => {
  it("lists repositories by their bare names, in order", async () => {
    const names = await list(`?last=${prefix}`);
    expect(names.filter((name) => name.startsWith(prefix))).toEqual(NAMES);
    expect(names).toEqual(names.toSorted());
  });

  it.each<[string, string[]]>([
    ["?n=2&last=%", NAMES.slice(0, 2)],
    ["?n=0&last=%", []],
    ["?n=1&last=%/a.b", ["%/a/b"]],
    ["?n=1&last=%/aa", ["%/b"]],
  ])("%s is a page", async (query, names) => {
    expect(await list(query.replace("%", prefix))).toEqual(names.map((name) => name.replace("%", prefix)));
  });

  it.each([1, 2, 4])("gives each name once, in pages of %i", async (n) => {
    const seen: string[] = [];
    let next: string | undefined = `/v2/_catalog?n=${n}&last=${prefix}`;
    for (; next !== undefined && seen.length < NAMES.length;) {
      const response: Response = await send("GET", next);
      const { repositories } = await response.json<{ repositories: string[] }>();
      expect(repositories.length).toBeLessThanOrEqual(n);
      seen.push(...repositories);
      next = nextLink(response);
    }
    expect(seen.slice(0, NAMES.length)).toEqual(NAMES);
  });

  it("has no next page at its end", async () => {
    const last = await pushBlob("zzzzzzzz/last", "x");
    expect(last.size).toBe(1);
    for (const query of ["?last=zzzzzzzz", "?n=1&last=zzzzzzzz", "?n=0"]) {
      expect((await send("GET", `/v2/_catalog${query}`)).headers.get("Link"), query).toBeNull();
    }
  });

  it.each(["-1", "x", "1.5"])("refuses n=%s", async (n) => {
    await expectError(await send("GET", `/v2/_catalog?n=${n}`), 400, "PAGINATION_NUMBER_INVALID");
  });
});
