import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { expectError, expectStatus, sendAnonymously, sendWith } from "../support/registry.ts";

const HUB = { name: "docker.io", anonymous: true };
const CLOSED = { name: "ghcr.io", credentials: "UPSTREAM_GHCR" };
const SECRET = "a-secret-that-nobody-sees";

/** What anyone gets of a registry with these upstreams. */
async function read(
  path: string,
  upstreams: readonly object[],
  origin = "https://registry.example",
): Promise<Response> {
  const settings = { UPSTREAMS: JSON.stringify(upstreams), UPSTREAM_GHCR: `robot:${SECRET}` };
  return await sendWith(settings, "GET", `${origin}/mirror/${path}`, { headers: { Authorization: "" } });
}

async function textOf(response: Response): Promise<string> {
  await expectStatus(response, 200);
  const text = await response.text();
  expect(text).not.toContain(SECRET);
  return text;
}

const comments = (text: string): string =>
  text
    .split("\n")
    .filter((line) => line.startsWith("#"))
    .join("\n");

describe("daemon.json", () => {
  it.each([
    ["on every hostname", true],
    ["on this hostname", ["registry.example"]],
  ])("makes Docker ask here for Docker Hub's, where that is the root %s", async (_where, root) => {
    const response = await read("daemon.json", [CLOSED, { ...HUB, root }]);
    expect(response.headers.get("Content-Type")).toBe("application/json");
    expect(JSON.parse(await textOf(response))).toEqual({ "registry-mirrors": ["https://registry.example"] });
  });

  it("lets Docker do without TLS where there is none", async () => {
    const response = await read("daemon.json", [{ ...HUB, root: true }], "http://10.1.2.3:8787");
    expect(JSON.parse(await textOf(response))).toEqual({
      "registry-mirrors": ["http://10.1.2.3:8787"],
      "insecure-registries": ["10.1.2.3:8787"],
    });
  });

  it.each<[string, object[], string]>([
    ["that is no root", [HUB], '"root": true or "root": ["registry.example"] of docker.io'],
    ["that is the root of another hostname", [{ ...HUB, root: ["hub.example"] }], '"root": ["registry.example"]'],
    ["beside a root that is another", [HUB, { name: "quay.io", root: true }], "of docker.io"],
    ["that is not open to all", [{ name: "docker.io", root: true }], '"anonymous": true of docker.io'],
    ["that is missing", [], "set UPSTREAMS"],
  ])("is not there for Docker Hub %s, which says what to set", async (_what, upstreams, message) => {
    expect((await expectError(await read("daemon.json", upstreams), 404, "NOT_FOUND")).message).toContain(message);
  });
});

describe("hosts.toml", () => {
  it("makes containerd ask here first, and then there", async () => {
    const text = await textOf(await read("docker.io/hosts.toml", [CLOSED, HUB]));
    expect(parse(text)).toEqual({
      server: "https://registry-1.docker.io",
      host: { "https://registry.example": { capabilities: ["pull", "resolve"] } },
    });
    expect(comments(text)).toContain("/etc/containerd/certs.d/docker.io/hosts.toml");
  });

  it("says where a password goes, as valid lines", async () => {
    const text = await textOf(await read("ghcr.io/hosts.toml", [CLOSED], "http://10.1.2.3:8787"));
    const [, ...lines] = text.split("\n").filter((line) => line.startsWith("# "));
    const table = lines.slice(1).map((line) => line.slice(2));
    expect(parse(`${text}${table.join("\n")}`)).toEqual({
      server: "https://ghcr.io",
      host: {
        "http://10.1.2.3:8787": { capabilities: ["pull", "resolve"], header: { authorization: "Basic …" } },
      },
    });
  });

  it.each(["quay.io", "docker%2Eio%22", "daemon.json"])("is not there for %s, which is none", async (name) => {
    await expectError(await read(`${name}/hosts.toml`, [HUB]), 404, "NOT_FOUND");
  });
});

describe("registries.conf", () => {
  it("gives each upstream its mirror", async () => {
    const text = await textOf(await read("registries.conf", [HUB, CLOSED]));
    expect(parse(text)).toEqual({
      registry: ["docker.io", "ghcr.io"].map((name) => ({
        ...{ prefix: name, location: name },
        mirror: [{ location: `registry.example/${name}` }],
      })),
    });
    expect(comments(text)).toContain("/etc/containers/registries.conf.d/");
    expect(comments(text)).toContain("podman login registry.example");
  });

  it("says where there is no TLS", async () => {
    const text = await textOf(await read("registries.conf", [HUB], "http://10.1.2.3:8787"));
    expect(parse(text)).toMatchObject({
      registry: [{ mirror: [{ location: "10.1.2.3:8787/docker.io", insecure: true }] }],
    });
    expect(text).not.toContain("podman login");
  });
});

describe("registries.yaml", () => {
  it("gives each upstream its endpoint", async () => {
    const text = await textOf(await read("registries.yaml", [HUB, { name: "quay.io", anonymous: true }]));
    expect(text.split("\n").slice(1)).toEqual([
      "mirrors:",
      '  "docker.io":',
      "    endpoint:",
      '      - "https://registry.example"',
      '  "quay.io":',
      "    endpoint:",
      '      - "https://registry.example"',
      "",
    ]);
    expect(comments(text)).toContain("/etc/rancher/k3s/registries.yaml");
  });

  it("says where a password goes", async () => {
    const text = await textOf(await read("registries.yaml", [CLOSED], "http://10.1.2.3:8787"));
    expect(comments(text)).toContain('#   "10.1.2.3:8787":\n#     auth:\n#       username: NAME');
  });
});

it("a registry that mirrors nothing has nothing to set up", async () => {
  for (const path of ["daemon.json", "registries.conf", "registries.yaml", "docker.io/hosts.toml"]) {
    const { message } = await expectError(await sendAnonymously("GET", `/mirror/${path}`), 404, "NOT_FOUND");
    expect(message).toBe("this registry mirrors no other: set UPSTREAMS");
  }
});

it("a hostname that is no name cannot write into the files", async () => {
  const text = await textOf(await read("registries.conf", [HUB], 'http://a"b.example'));
  expect(parse(text)).toMatchObject({ registry: [{ mirror: [{ location: 'a"b.example/docker.io' }] }] });
});
