import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareLayers, compareSettings, settingsOf } from "../../web/image/compare.ts";
import { formatCommand, formatHealthcheck, parseImageConfig } from "../../web/image/config.ts";
import { descriptor } from "./support/descriptors.ts";

const CONFIG = {
  created: "2026-01-02T03:04:05Z",
  os: "linux",
  architecture: "arm64",
  variant: "v8",
  config: {
    User: "app",
    Env: ["PATH=/bin", "OPTIONS=a=b"],
    Entrypoint: ["/bin/sh", "-c"],
    Cmd: ['echo "hi"'],
    Labels: { title: "<script>" },
    ExposedPorts: { "80/tcp": {} },
    WorkingDir: "",
  },
};

const settingsOfJson = (config: unknown) => {
  const parsed = parseImageConfig(JSON.stringify(config));
  return parsed && settingsOf(parsed);
};

describe("a config", () => {
  it("is shown as settings, without what it leaves empty", () => {
    expect(settingsOfJson(CONFIG)?.map(({ group, name, value }) => [group, name, value])).toEqual([
      ["Entrypoint", "", '["/bin/sh", "-c"]'],
      ["Command", "", String.raw`["echo \"hi\""]`],
      ["User", "", "app"],
      ["Port", "80/tcp", "80/tcp"],
      ["Platform", "", "linux/arm64/v8"],
      ["Created", "", "2026-01-02T03:04:05Z"],
      ["Environment", "PATH", "/bin"],
      ["Environment", "OPTIONS", "a=b"],
      ["Label", "title", "<script>"],
    ]);
  });

  it.each([
    [{}],
    [{ config: null, history: null, rootfs: null }],
    [{ config: { Env: "PATH", Labels: "x", Cmd: 7, ExposedPorts: null, Healthcheck: [] }, history: [1], os: {} }],
  ])("%j says nothing, and breaks nothing", (config) => {
    expect(settingsOfJson(config)).toEqual([]);
  });

  it.each(["", "1", "null", "no json"])("of %j is none", (text) => {
    expect(parseImageConfig(text)).toBeUndefined();
  });

  it("keeps what is right beside what is wrong", () => {
    expect(settingsOfJson({ config: { User: "app", Env: 1 } })).toEqual([{ group: "User", name: "", value: "app" }]);
  });

  it("that is any JSON is read without a failure", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        parseImageConfig(text);
      }),
    );
  });
});

it.each([
  [{ Test: ["NONE"] }, "none"],
  [
    { Test: ["CMD-SHELL", "curl -f localhost"], Interval: 3e10, Retries: 3 },
    "curl -f localhost (every 30 s, 3 retries)",
  ],
  [{ Test: ["CMD", "a", "b"] }, '["a", "b"]'],
])("the healthcheck %j reads %j", (check, text) => {
  const none = { Test: undefined, Interval: undefined, Timeout: undefined, StartPeriod: undefined, Retries: undefined };
  expect(formatHealthcheck({ ...none, ...check })).toBe(text);
});

it("a command is written with spaces", () => {
  expect(formatCommand(["a", "b c"])).toBe('["a", "b c"]');
});

describe("what differs between two configs", () => {
  const from = settingsOfJson(CONFIG) ?? [];

  it("is nothing for the same", () => {
    expect(compareSettings(from, from)).toEqual([]);
  });

  it("is what was changed, what is gone, and what is new", () => {
    const changed = {
      ...CONFIG,
      config: { ...CONFIG.config, User: undefined, Env: ["PATH=/sbin", "NEW=1", "OPTIONS=a=b"] },
    };
    expect(compareSettings(from, settingsOfJson(changed) ?? [])).toEqual([
      { group: "User", name: "", from: "app", to: undefined },
      { group: "Environment", name: "PATH", from: "/bin", to: "/sbin" },
      { group: "Environment", name: "NEW", from: undefined, to: "1" },
    ]);
  });
});

describe("two lists of layers", () => {
  const [a, b, c] = [descriptor("a", { size: 1 }), descriptor("b", { size: 10 }), descriptor("c", { size: 100 })];

  it("have in common what they begin with", () => {
    expect(compareLayers([a, b], [a, c])).toEqual({
      ...{ common: [a], from: [b], to: [c] },
      ...{ commonBytes: 1, fromBytes: 11, toBytes: 101 },
    });
  });

  it("are wholly in common if they are the same", () => {
    expect(compareLayers([a, b], [a, b])).toMatchObject({ common: [a, b], from: [], to: [] });
    expect(compareLayers([a], [a, b])).toMatchObject({ common: [a], from: [], to: [b] });
  });

  it("count a layer once, wherever and however often it stands", () => {
    expect(compareLayers([a, b, b], [b, a])).toMatchObject({ common: [], commonBytes: 11, fromBytes: 11, toBytes: 11 });
  });
});
