import { expect, test } from "vitest";
import { checkNames, choose, parseOptions } from "../../bench/options.ts";

const SERVERS = ["stowage", "zot", "limit"].map((name) => ({ name }));
const WORKLOADS = ["layer", "requests"].map((name) => ({ name }));

test("everything is measured by default", () => {
  expect(parseOptions([])).toEqual({ quick: false, only: [], out: undefined, help: false });
});

test.each([
  [[], ["stowage", "zot", "limit"], ["layer", "requests"]],
  [["layer"], ["stowage", "zot", "limit"], ["layer"]],
  [["zot"], ["stowage", "zot"], ["layer", "requests"]],
  [["requests", "limit"], ["stowage", "limit"], ["requests"]],
  [["stowage"], ["stowage"], ["layer", "requests"]],
])("--only %j leaves the servers %j and the workloads %j", (only, servers, workloads) => {
  expect(choose(SERVERS, only).map(({ name }) => name)).toEqual(servers);
  expect(choose(WORKLOADS, only).map(({ name }) => name)).toEqual(workloads);
});

test("a name that is unknown is refused, with those that are known", () => {
  expect(() => checkNames(["layer", "lair"], ["layer", "zot"])).toThrow(
    "--only lair: no such thing; known are layer, zot",
  );
});
