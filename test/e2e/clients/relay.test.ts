import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, CLIENTS, type ClientName } from "../support/clients.ts";
import { startContainerd } from "../support/containerd.ts";
import { writeImageLayout } from "../support/images.ts";
import { machineOfGroup } from "../support/machine.ts";
import { type ManifestContent, MANIFEST_TYPES } from "../support/registry.ts";
import { type RelayedRegistry, startRelayedRegistry } from "../support/relay.ts";
import { describeWithTools } from "../support/tools.ts";
import type { Workspace } from "../support/workspace.ts";

const MB = 1_000_000;
const isFull = process.env.STOWAGE_RELAY_FULL === "1";
/** By STOWAGE_RELAY_FULL=1 the edge's own limit, and layers that take minutes. */
const LIMIT = isFull ? "100MB" : "10MB";
const LAYERS = isFull ? [MB, 150 * MB, 2_000 * MB] : [MB, 15 * MB, 60 * MB];
const LIMIT_BYTES = (isFull ? 100 : 10) * MB;

let registry: RelayedRegistry;

beforeAll(async () => {
  registry = await startRelayedRegistry(LIMIT);
});

afterAll(async () => {
  await registry.stop();
});

async function writeLayout(workspace: Workspace): Promise<string> {
  const layers = LAYERS.map((bytes) => ({ randomBytes: bytes }));
  await writeImageLayout(workspace.path("layout"), "v1", { layers });
  return "layout";
}

/** An image of the layers, as each client keeps images. */
const MAKE: Partial<Record<ClientName, (workspace: Workspace) => Promise<string>>> = {
  docker: async (workspace) => {
    const context = workspace.path("context");
    await mkdir(context);
    const copies: string[] = [];
    for (const [index, bytes] of LAYERS.entries()) {
      await writeFile(`${context}/${index}`, randomBytes(bytes));
      copies.push(`COPY ${index} /`);
    }
    const name = `relay:${randomUUID()}`;
    await writeFile(`${context}/Dockerfile`, ["FROM scratch", ...copies].join("\n"));
    await workspace.run("docker", ["build", "--quiet", "--tag", name, context]);
    return name;
  },
  skopeo: writeLayout,
  podman: (workspace) => importLayout(workspace, "podman"),
  buildah: (workspace) => importLayout(workspace, "buildah"),
};

async function importLayout(workspace: Workspace, client: "podman" | "buildah"): Promise<string> {
  const layout = await writeLayout(workspace);
  return await workspace.run(client, ["pull", "--quiet", `oci:${layout}:v1`], { cwd: workspace.path() });
}

/** The manifest of a tag, from the registry itself. */
async function served(repository: string): Promise<{ digest: string; layers: readonly number[] }> {
  const authorization = `Basic ${Buffer.from(`${registry.username}:${registry.password}`).toString("base64")}`;
  const accept = Object.values(MANIFEST_TYPES).join(", ");
  const url = `${registry.url}/v2/${repository}/manifests/v1`;
  const response = await fetch(url, { headers: { authorization, accept } });
  const { layers = [] } = (await response.json()) as ManifestContent;
  return { digest: response.headers.get("docker-content-digest") ?? "", layers: layers.map(({ size }) => size) };
}

for (const client of CLIENTS) {
  const make = MAKE[client.name];
  if (make) describeClient(client, make);
}

function describeClient(client: Client, make: (workspace: Workspace) => Promise<string>): void {
  describeWithTools(`${client.name} through the relay`, client.tools, () => {
    const newcomer = machineOfGroup(client.startDaemon);

    test("pushes layers that the edge refuses, without a log-in, and pulls them back", async () => {
      const workspace = await newcomer();
      const repository = `relay/${client.name}`;
      const image = `${registry.relay}/${repository}:v1`;
      const pushed = await client.push(workspace, image, await make(workspace));
      expect(pushed.code, pushed.stderr).toBe(0);
      const { digest, layers } = await served(repository);
      expect(layers.filter((size) => size > LIMIT_BYTES)).toHaveLength(2);
      // Into another store: where the image is already, its client keeps the digest of before it was packed.
      const puller = await newcomer();
      const pulled = await client.pull(puller, image);
      expect(pulled.code, pulled.stderr).toBe(0);
      expect(await client.pulledDigest(puller, image)).toBe(digest);
    });
  });
}

describeWithTools("docker log-ins through the relay", ["docker", "dockerd"], () => {
  const docker = CLIENTS.find(({ name }) => name === "docker");
  const newcomer = machineOfGroup(docker?.startDaemon);

  test("are the client's own, and wrong ones are refused", async () => {
    const workspace = await newcomer();
    const login = ["login", "--username", registry.username, "--password-stdin", registry.relay];
    const refused = await workspace.attempt("docker", login, { input: "wrong" });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/unauthorized|incorrect/)]);
    expect((await workspace.attempt("docker", login, { input: registry.password })).code).toBe(0);
    const pushed = await docker?.push(workspace, `${registry.relay}/relay/login:v1`);
    expect(pushed?.code, pushed?.stderr).toBe(0);
  });
});

describeWithTools("ctr through the relay", ["containerd", "ctr", "tar"], () => {
  const newcomer = machineOfGroup(startContainerd);

  test("pushes layers that the edge refuses, and pulls them back", async () => {
    const workspace = await newcomer();
    const repository = "relay/ctr";
    const name = `${registry.relay}/${repository}`;
    const archive = workspace.path("layout.tar");
    await workspace.run("tar", [
      "--create",
      "--file",
      archive,
      "-C",
      workspace.path(await writeLayout(workspace)),
      ".",
    ]);
    const images = (namespace: string, ...args: string[]) =>
      workspace.run("ctr", ["--namespace", namespace, "images", ...args]);
    await images("pushing", "import", "--no-unpack", "--base-name", name, archive);
    await images("pushing", "push", "--plain-http", `${name}:v1`);
    await images("pulling", "pull", "--plain-http", `${name}:v1`);
    expect(await images("pulling", "list", `name==${name}:v1`)).toContain((await served(repository)).digest);
  });
});
