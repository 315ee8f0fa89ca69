import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatLast, toListing } from "../../src/oci/listing.ts";
import { thrownBy } from "../support/thrown.ts";

const page = { limit: 5, last: "" };

describe("a listing", () => {
  it.each([
    [{}, { sort: "name", order: "asc" }],
    [{ sort: "size" }, { sort: "size", order: "desc" }],
    [
      { sort: "size", order: "asc" },
      { sort: "size", order: "asc" },
    ],
    [{ order: "desc" }, { sort: "name", order: "desc" }],
    [{ q: "WeB" }, { search: "web" }],
  ] as const)("of %j is in this order: %j", (options, expected) => {
    expect(toListing<"size">(page, options)).toMatchObject({ limit: 5, after: undefined, ...expected });
  });

  it("goes on, by name, after any text", () => {
    const listing = toListing({ limit: 1, last: "any text %" }, {});
    expect(listing.after).toEqual({ value: 0, name: "any text %" });
  });

  it("goes on where the page before ended", () => {
    const names = fc.stringMatching(/^[A-Za-z0-9._/-]{1,60}$/);
    const values = fc.integer({ min: 0, max: 999_999_999_999_999 });
    fc.assert(
      fc.property(values, names, (value, name) => {
        const last = formatLast({ value, name }, "size");
        expect(last).toMatch(/^[\w-]+$/);
        expect(toListing<"size">({ limit: 1, last }, { sort: "size" }).after).toEqual({ value, name });
      }),
    );
  });

  it.each([
    ["a name", "web"],
    ["what is no base64", "%%%"],
    ["padding", `${formatLast({ value: 12, name: "web" }, "size")}=`],
    ["bytes that are no text", btoa("\xff\xfe 1")],
    ["no value", btoa(" web")],
    ["a value that is no number", btoa("x web")],
    ["a value below zero", btoa("-1 web")],
    ["a value beyond what is exact", btoa("9999999999999999 web")],
    ["no name", btoa("12 ")],
    ["a name that none can be", btoa("12 a b")],
    ["more than one line", btoa("12 a\nb")],
  ])("is refused for a last of %s", (_what, last) => {
    const error = thrownBy(() => toListing<"size">({ limit: 1, last }, { sort: "size" }));
    expect(error.code).toBe("PAGINATION_NUMBER_INVALID");
  });
});
