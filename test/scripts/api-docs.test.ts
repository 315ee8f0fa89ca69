import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { API_ROUTES } from "../support/api-routes.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const docs = read("docs/api.md");

/** The routes of the table in src/routes.ts, as the docs write them. */
const routes = [...read("src/routes.ts").matchAll(/^ {2}\["(\w+)", "(\/api\/[^"]*)", "(\w+)"/gm)].map(
  ([, method = "", path = "", requirement = ""]) => ({
    route: `${method.toUpperCase()} ${path.replace(/:(\w+)\+?/g, "{$1}")}`,
    requirement,
  }),
);

test("the tests know every route of the admin API, and what it asks of its caller", () => {
  const known = API_ROUTES.map(([method, path, requirement]) => ({ route: `${method} ${path}`, requirement }));
  expect(routes).toEqual(known);
});

test("docs/api.md names every route, and no other", () => {
  const named = [...docs.matchAll(/^\| `([A-Z]+ \/api\/[^`]*)` \|/gm)].map(([, route]) => route);
  expect(named.toSorted()).toEqual(routes.map(({ route }) => route).toSorted());
});

test("docs/api.md says of each route who may use it, where that is not an admin", () => {
  for (const { route, requirement } of routes) {
    const [, , , who = ""] = docs
      .split("\n")
      .find((line) => line.startsWith(`| \`${route}\``))!
      .split("|");
    const words: Record<string, RegExp> = {
      admin: /^\s*$/,
      api: /any caller|a member: the own one/,
      reader: /anybody/,
      open: /open/,
    };
    expect(who, route).toMatch(words[requirement]!);
  }
});

test("docs/api.md names every kind of event", () => {
  const [, kinds = ""] = /export type AuditAction =([^;]*);/.exec(read("src/metadata/audit.ts"))!;
  // Such as "tag.delete", or `account.${"add" | "remove"}`.
  const actions = [...kinds.matchAll(/[`"](\w+)\.(.+)/g)].flatMap(([, noun = "", verbs = ""]) =>
    (verbs.match(/\w+/g) ?? []).map((verb) => `${noun}.${verb}`),
  );
  expect(actions.length).toBeGreaterThan(10);
  for (const action of actions) expect(docs).toContain(`\`${action}\``);
});
