import { describe, expect, it } from "vitest";
import type { Condition } from "../../../src/lifecycle/retention/rule.ts";
import { judgeVersions, parseVersion } from "../../../src/lifecycle/retention/versions.ts";
import type { Tag } from "../../../src/oci/reference.ts";

type Limits = Extract<Condition, { kind: "semver" }>;

const limits = (change: Partial<Limits>): Limits => ({
  ...{ kind: "semver", majors: "all", minors: "all", patches: "all", prereleases: 0 },
  ...change,
});

/** Those of the tags that stay, in their order. */
function kept(tags: readonly string[], change: Partial<Limits>): string[] {
  const judge = judgeVersions(tags as Tag[], limits(change));
  return tags.filter((tag) => judge(tag as Tag).holds);
}

/** What is said of a tag among others. */
function said(tag: string, others: readonly string[], change: Partial<Limits>): string {
  const judge = judgeVersions([tag, ...others] as Tag[], limits(change));
  const { holds, because } = judge(tag as Tag);
  return `${holds ? "stays" : "goes"}: ${because.join(", ")}`;
}

describe("a tag", () => {
  it.each([
    ["1.2.3", 3, "1.2.3"],
    ["v1.2.3", 3, "1.2.3"],
    ["0.0.0", 3, "0.0.0"],
    ["1.2.3_build.7", 3, "1.2.3"],
    ["1.2", 2, "1.2.0"],
    ["v1.2", 2, "1.2.0"],
    ["1", 1, "1.0.0"],
    ["v20240115", 1, "20240115.0.0"],
    ["2024.1.15", 3, "2024.1.15"],
    ["9007199254740991.0.0", 3, "9007199254740991.0.0"],
  ])("%s is a version of %i numbers", (tag, precision, numbers) => {
    const version = parseVersion(tag as Tag);
    expect(version).toMatchObject({ precision, prerelease: undefined });
    expect([version?.major, version?.minor, version?.patch].join(".")).toBe(numbers);
  });

  it.each([
    ["1.2.3-alpine", "1.2.3-alpine"],
    ["v1.2.3-rc.1", "1.2.3-rc.1"],
    ["1.2.3-rc.1_build", "1.2.3-rc.1"],
    ["1.0.0-0A.is.legal", "1.0.0-0A.is.legal"],
    ["1.2.3----R-S.12.9.1--.12", "1.2.3----R-S.12.9.1--.12"],
  ])("%s is the pre-release %s", (tag, prerelease) => {
    expect(parseVersion(tag as Tag)).toMatchObject({ precision: 3, prerelease });
  });

  // Most of these are of semver.org's own list of what is invalid.
  it.each([
    ...[
      "latest",
      "01.1.1",
      "1.01.1",
      "1.1.01",
      "1.2.3-0123",
      "1.1.2-",
      "1.2.3.4",
      "1.2.",
      "1.",
      "01",
      "1.02",
      "V1.2.3",
    ],
    ...["vv1", "v", "1.2-rc1", "1-rc1", "1.2.3-a..b", "1.2.3_a_b", "_1.2.3", "1.2_x", "x1.2.3", "1.2.3-a.", "alpha"],
    ...["9007199254740992.0.0", "9007199254740992", "99999999999999999999999.1", "2024.01.15", "1e3"],
  ])("%s is no version", (tag) => {
    expect(parseVersion(tag as Tag)).toBeUndefined();
  });
});

describe("releases", () => {
  const tags = ["1.0.0", "1.0.1", "1.0.10", "1.0.9", "1.1.0", "2.0.0", "2.3.4", "2.3.5", "10.0.0"];

  it.each<[string, Partial<Limits>, string[]]>([
    ["all without limits", {}, tags],
    ["the newest patch of each minor", { patches: 1 }, ["1.0.10", "1.1.0", "2.0.0", "2.3.5", "10.0.0"]],
    [
      "the 2 newest patches of each minor",
      { patches: 2 },
      ["1.0.10", "1.0.9", "1.1.0", "2.0.0", "2.3.4", "2.3.5", "10.0.0"],
    ],
    ["the newest minor of each major", { minors: 1 }, ["1.1.0", "2.3.4", "2.3.5", "10.0.0"]],
    ["the newest major", { majors: 1 }, ["10.0.0"]],
    ["the 2 newest majors", { majors: 2 }, ["2.0.0", "2.3.4", "2.3.5", "10.0.0"]],
    ["one of each", { majors: 2, minors: 1, patches: 1 }, ["2.3.5", "10.0.0"]],
  ])("stay: %s", (_what, change, expected) => {
    expect(kept(tags, change)).toEqual(expected);
  });

  it("take one place for all tags of a version", () => {
    expect(kept(["1.0.0", "1.0.1", "v1.0.1", "1.0.2", "v1.0.2_build"], { patches: 2 })).toEqual([
      ...["1.0.1", "v1.0.1", "1.0.2", "v1.0.2_build"],
    ]);
  });

  it("of one, two and three numbers are counted apart", () => {
    const mixed = ["1", "2", "3", "1.0", "1.1", "2.0", "1.0.0", "1.1.0", "1.1.1", "2.0.0", "10432"];
    expect(kept(mixed, { majors: 2 })).toEqual(["3", "1.0", "1.1", "2.0", "1.0.0", "1.1.0", "1.1.1", "2.0.0", "10432"]);
    expect(kept(mixed, { minors: 1, patches: 1 })).toEqual(["1", "2", "3", "1.1", "2.0", "1.1.1", "2.0.0", "10432"]);
    expect(kept(["16", "16.1", "16.2", "16.3", "17.0"], { minors: 2 })).toEqual(["16", "16.2", "16.3", "17.0"]);
  });

  it("are not what is no version", () => {
    expect(kept(["latest", "1.2.3.4", "main"], {})).toEqual([]);
  });
});

describe("pre-releases", () => {
  // semver.org, section 11.4.4, and the identifiers of 11.4.1 to 11.4.3.
  const ascending = [
    ...["1.0.0-1", "1.0.0-2", "1.0.0-11", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta"],
    ...["1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.1-0"],
  ];

  it("go where none is asked for", () => {
    expect(kept([...ascending, "1.0.0"], {})).toEqual(["1.0.0"]);
  });

  it("stay, all of them, where all are asked for", () => {
    expect(kept(ascending, { prereleases: "all" })).toEqual(ascending);
  });

  it.each(ascending.map((_, index) => index + 1))("stay by precedence, the %i newest", (count) => {
    // By their ends, which is no order of anything.
    const shuffled = ascending.toSorted((a, b) => a.slice(-1).localeCompare(b.slice(-1)));
    expect(kept(shuffled, { prereleases: count }).sort()).toEqual(ascending.slice(-count).sort());
  });

  it("take no place of a release, nor it of theirs", () => {
    const tags = ["1.0.0", "1.0.1", "1.0.2-rc.1", "1.0.2-rc.2", "2.0.0-rc.1"];
    expect(kept(tags, { majors: 1, patches: 1, prereleases: 2 })).toEqual(["1.0.1", "1.0.2-rc.2", "2.0.0-rc.1"]);
  });

  it("take one place for all tags of a version", () => {
    const tags = ["1.0.0-a", "1.0.0-b", "1.0.0-c", "v1.0.0-c", "1.0.0-c_x"];
    expect(kept(tags, { prereleases: 2 })).toEqual(tags.slice(1));
  });
});

it.each<[string, string[], Partial<Limits>, string]>([
  ["1.4.2", [], { patches: 3 }, "stays: one of the 3 newest patches of 1.4"],
  ["v1.4.2", [], { majors: 1, patches: 1 }, "stays: the newest patch of 1.4"],
  ["1.4.2", [], { minors: 2 }, "stays: of one of the 2 newest minors of 1"],
  ["1.4.2", [], { majors: 1 }, "stays: of the newest major"],
  ["1.4.2", [], {}, "stays: a version"],
  ["1.4", [], { patches: 3 }, "stays: a version"],
  ["1.4", [], { minors: 3, patches: 3 }, "stays: one of the 3 newest minors of 1"],
  ["1", [], { majors: 3, minors: 3 }, "stays: one of the 3 newest majors"],
  ["1.4.2-rc.1", [], { prereleases: 5 }, "stays: one of the 5 newest pre-releases"],
  ["1.4.2-rc.1", [], { prereleases: 1 }, "stays: the newest pre-release"],
  ["1.4.2-rc.1", [], { prereleases: "all" }, "stays: a pre-release"],
  ["1.4.2", ["1.4.3"], { patches: 1 }, "goes: not the newest patch of 1.4"],
  ["1.4.2", ["1.4.3", "1.4.4"], { patches: 2 }, "goes: not among the 2 newest patches of 1.4"],
  ["1.4.2", ["1.5.0"], { minors: 1 }, "goes: not of the newest minor of 1"],
  ["1.4.2", ["1.5.0", "1.6.0"], { minors: 2, patches: 1 }, "goes: not of one of the 2 newest minors of 1"],
  ["1.4.2", ["1.4.3", "2.0.0"], { majors: 1, patches: 1 }, "goes: not of the newest major"],
  ["1", ["2", "3"], { majors: 2 }, "goes: not among the 2 newest majors"],
  ["1.4.2-rc.1", [], {}, "goes: a pre-release"],
  ["1.4.2-rc.1", ["1.4.2-rc.2"], { prereleases: 1 }, "goes: not the newest pre-release"],
  ["latest", [], {}, "goes: not a version"],
])("%s beside %j, by %j, %s", (tag, others, change, expected) => {
  expect(said(tag, others, change)).toBe(expected);
});
