import fc from "fast-check";
import { expect, it } from "vitest";
import { PAGE_LIMIT, parsePage, toPage } from "../../src/oci/page.ts";
import { thrownBy } from "../support/thrown.ts";

it.each([
  ["", PAGE_LIMIT, ""],
  ["n=", PAGE_LIMIT, ""],
  ["n=0", 0, ""],
  ["n=7", 7, ""],
  ["n=007", 7, ""],
  ["n=999999999", PAGE_LIMIT, ""],
  ["last=v1", PAGE_LIMIT, "v1"],
  ["last=a%2Fb&n=2", 2, "a/b"],
])("reads %j", (query, limit, last) => {
  expect(parsePage(new URLSearchParams(query))).toEqual({ limit, last });
});

it.each(["-1", "1.5", "1e3", "ten", " ", "0x10", "9999999999", "１"])("refuses n=%j", (n) => {
  expect(thrownBy(() => parsePage(new URLSearchParams({ n }))).code).toBe("PAGINATION_NUMBER_INVALID");
});

it("names a next page only where one entry more was fetched", () => {
  const name = (entry: string) => entry;
  expect(toPage(["a", "b"], 2, name)).toEqual({ entries: ["a", "b"], next: undefined });
  expect(toPage(["a", "b", "c"], 2, name)).toEqual({ entries: ["a", "b"], next: "b" });
  expect(toPage([], 2, name)).toEqual({ entries: [], next: undefined });
  expect(toPage(["a"], 0, name)).toEqual({ entries: [], next: undefined });
});

it("gives every entry once, page after page", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(500)), fc.integer({ min: 1, max: 9 }), (numbers, limit) => {
      const list = numbers.toSorted((a, b) => a - b);
      const seen: number[] = [];
      for (let next: number | undefined = -1; next !== undefined;) {
        const last: number = next;
        const fetched = list.filter((entry) => entry > last).slice(0, limit + 1);
        const page = toPage(fetched, limit, String);
        seen.push(...page.entries);
        next = page.next === undefined ? undefined : Number(page.next);
      }
      expect(seen).toEqual(list);
    }),
  );
});
