import { describe, expect, it } from "vitest";
import { callApi, expectRefusal } from "../support/api.ts";
import { API_ROUTES } from "../support/api-routes.ts";
import { captureLogs } from "../support/logs.ts";

const GARBAGE = [
  ...[
    "",
    "\u0000",
    "a\u0000b",
    "💩",
    "é",
    "' OR 1=1 --",
    "%",
    "*",
    "[a-",
    "../..",
    "a b c",
    "null",
    "-0",
    "9".repeat(40),
  ],
  "x".repeat(5_000),
];
const PARAMETERS = ["n", "last", "subject", "repository", "actions", "actor", "action", "since"];
const BODIES = [
  ...['{"name":"\\ud800"}', '{"a":1,"a":2}', `${"[".repeat(50_000)}${"]".repeat(50_000)}`, '{"name":{"toString":1}}'],
  ...['{"keys":{"keys":[null]},"claims":{"\\u0000":"\\u0000"}}', '{"visibility":["public"]}', "\ufeff{}", "NaN"],
  `{"claims":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}`,
];

describe.each(API_ROUTES.map(([method, path]) => [method, path.replace("/api/", "")] as const))(
  "%s %s",
  (method, path) => {
    it("is never led into a defect by what it is sent", async () => {
      const logs = captureLogs();
      const place = path.replace("{name}", "nowhere");
      const hasBody = ["POST", "PUT", "PATCH"].includes(method);
      const requests: [string, string | undefined][] = [
        ...GARBAGE.flatMap((text) =>
          PARAMETERS.map((name) => `${place}?${new URLSearchParams({ [name]: text }).toString()}`),
        ),
        ...(path.includes("{name}") ? GARBAGE.map((text) => path.replace("{name}", encodeURIComponent(text))) : []),
        ...["?%", "?%zz=%zz", "?=", "?&&", "?n", "#x"].map((query) => `${place}${query}`),
      ].map((target) => [target, hasBody ? "{}" : undefined]);
      if (hasBody) requests.push(...BODIES.map((body): [string, string] => [place, body]));
      for (const [target, body] of requests) {
        const { status } = await callApi(method, target, body);
        expect([target.slice(0, 100), body?.slice(0, 100), status < 500]).toEqual([
          expect.anything(),
          body?.slice(0, 100),
          true,
        ]);
      }
      expect(logs.filter((line) => line.includes("request failed"))).toEqual([]);
    });
  },
);

it("a body that nests without end is refused", async () => {
  const body = `{"name":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}`;
  await expectRefusal(await callApi("POST", "accounts", body), 400, "REQUEST_INVALID");
});
