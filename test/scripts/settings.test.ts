import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parseOptions } from "../../scripts/local/options.ts";
import { readProject } from "../../scripts/local/project.ts";
import { readSettings } from "../../scripts/local/settings.ts";
import { makeFolder } from "./support/server.ts";

const project = readProject(resolve(import.meta.dirname, "../.."));
const bindingsOf = (...args: string[]) => readSettings(parseOptions(args), project, makeFolder()).bindings;

describe("the local server", () => {
  test("has the settings of wrangler.toml, but for what takes a network in front of it", () => {
    const secrets = { ADMIN_PASSWORD: expect.any(String) as string, TOKEN_SECRET: expect.any(String) as string };
    const here = { CLIENT_ADDRESS_HEADER: "", REQUEST_BODY_MAX: "unlimited", BLOB_CACHE: "off" };
    expect(bindingsOf()).toEqual({ ...project.vars, ...here, ...secrets });
  });

  test("tells the Worker of the edge that it imitates", () => {
    expect(bindingsOf("--limit-body", "5MB")).toMatchObject({ REQUEST_BODY_MAX: "5000000" });
  });

  test("takes its operator's word for all of them", () => {
    const vars = ["--var", "BLOB_CACHE:on", "--var", "CLIENT_ADDRESS_HEADER:X-Real-IP"];
    expect(bindingsOf(...vars)).toMatchObject({ BLOB_CACHE: "on", CLIENT_ADDRESS_HEADER: "X-Real-IP" });
  });
});
