import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openDataFolder } from "../../scripts/local/data.ts";
import { Failure } from "../../scripts/local/failure.ts";
import { parseOptions } from "../../scripts/local/options.ts";
import { makeFolder } from "./support/server.ts";

describe("the command line", () => {
  test("has defaults", () => {
    const options = parseOptions([]);
    expect(options).toMatchObject({ host: "127.0.0.1", port: 8787, data: ".stowage", watch: false, help: false });
  });

  test("splits a variable at its first colon", () => {
    const { vars } = parseOptions(["--var", "A:b:c", "--var", "B:"]);
    expect([...vars]).toEqual([
      ["A", "b:c"],
      ["B", ""],
    ]);
  });

  test.each([
    ["100MB", 100_000_000],
    ["64kb", 64_000],
    ["1GB", 1_000_000_000],
    ["12345", 12_345],
  ])("takes a limit of %s", (text, bytes) => {
    expect(parseOptions(["--limit-body", text]).limitBody).toBe(bytes);
  });

  test("takes an IPv6 address with and without brackets", () => {
    expect(parseOptions(["--host", "[::1]"]).host).toBe("::1");
    expect(parseOptions(["--host", "::1"]).host).toBe("::1");
  });

  test.each([
    [["--bogus"], "Unknown option '--bogus'; see npm start -- --help"],
    [["--port"], "Option '--port <value>' argument missing; see npm start -- --help"],
    [["stray"], "Unexpected argument 'stray'; see npm start -- --help"],
    [["--port", "65536"], "--port must be a number from 0 to 65535, not '65536'"],
    [["--port", "http"], "--port must be a number from 0 to 65535, not 'http'"],
    [["--host", ""], "--host needs an address, for example --host 127.0.0.1"],
    [["--data", ""], "--data needs a folder, for example --data .stowage"],
    [["--limit-body", "much"], "--limit-body must be a size such as 100MB, not 'much'"],
    [["--limit-body", "0"], "--limit-body must be a size such as 100MB, not '0'"],
    [["--var", "NAME"], "--var must be NAME:VALUE, for example UPLOAD_TTL:1h, not 'NAME'"],
  ])("%j is refused", (args, message) => {
    expect(() => parseOptions(args)).toThrow(new Failure(message, 2));
  });
});

describe("the data folder", () => {
  test.each([
    ["/dev/null", "it is a file, not a folder"],
    ["/proc/data", "no folder can be made there"],
  ])("%s is refused", (folder, reason) => {
    expect(() => openDataFolder(folder)).toThrow(`cannot keep data in ${folder}: ${reason}; choose another`);
  });

  test("is made with those above it, and may exist", () => {
    const folder = join(makeFolder(), "a/b");
    openDataFolder(folder);
    openDataFolder(folder);
  });
});
