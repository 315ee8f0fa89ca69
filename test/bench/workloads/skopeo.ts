import { createWriteStream, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { TOOL_PATH } from "../../e2e/support/paths.ts";
import { run } from "../../e2e/support/run.ts";
import { formatMb, type Plan } from "../plan.ts";
import type { BenchServer } from "../servers/server.ts";
import { missingProgram } from "../servers/find.ts";
import { type Content, type Image, imageOf, streamOf } from "./content.ts";
import { type Figures, REGISTRIES, secondsOf, type Step, type Workload } from "./workload.ts";

/** A real client, log-in and disk included: `skopeo copy` from a layout in a folder, and back into another. */
export function skopeo(
  { layerBytes, smallLayers: { count, bytes } }: Plan,
  content: Content,
  folder: string,
): Workload {
  const layout = join(folder, "layout");
  const stepOf = (id: string, makeImage: () => Image): Step => ({
    prepare: async () => await writeLayout(layout, makeImage()),
    measure: async (server) => await copy(server, id, layout, join(folder, "pulled")),
  });
  const big = `one layer of ${formatMb(layerBytes)}`;
  const small = `${count} layers of ${formatMb(bytes)}`;
  return {
    name: "skopeo",
    title: "skopeo",
    metrics: [
      { id: "skopeo.layer-push", title: `skopeo pushes ${big}`, unit: "s" },
      { id: "skopeo.layer-pull", title: `skopeo pulls ${big}`, unit: "s" },
      { id: "skopeo.layers-push", title: `skopeo pushes ${small}`, unit: "s" },
      { id: "skopeo.layers-pull", title: `skopeo pulls ${small}`, unit: "s" },
    ],
    servers: REGISTRIES,
    missing: () => missingProgram("skopeo", "Debian package skopeo"),
    steps: [
      stepOf("skopeo.layer", () => imageOf([content.layer(layerBytes)])),
      stepOf("skopeo.layers", () => imageOf(content.layers(count, bytes))),
    ],
  };
}

async function copy(server: BenchServer, id: string, layout: string, pulled: string): Promise<Figures> {
  const { username, password } = server.credentials ?? {};
  const login = (side: string) => (username === undefined ? [] : [`--${side}-creds`, `${username}:${password}`]);
  const remote = `docker://${new URL(server.url).host}/bench/skopeo:latest`;
  const program = ["--insecure-policy", "copy", "--quiet"];
  const push = [...program, "--dest-tls-verify=false", ...login("dest"), `oci:${layout}:latest`, remote];
  const pull = [...program, "--src-tls-verify=false", ...login("src"), remote, `dir:${pulled}`];
  const env = { ...process.env, PATH: TOOL_PATH };
  const figures = {
    [`${id}-push`]: await secondsOf(async () => await run("skopeo", push, { env })),
    [`${id}-pull`]: await secondsOf(async () => await run("skopeo", pull, { env })),
  };
  rmSync(pulled, { recursive: true, force: true });
  return figures;
}

/** Writes the image as an OCI layout, in place of the one before. */
async function writeLayout(folder: string, { config, layers, manifest }: Image): Promise<void> {
  const blobs = join(folder, "blobs/sha256");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(blobs, { recursive: true });
  for (const blob of [config, ...layers, manifest]) {
    const [, hex = ""] = blob.descriptor.digest.split(":");
    await pipeline(streamOf(blob), createWriteStream(join(blobs, hex)));
  }
  const annotations = { "org.opencontainers.image.ref.name": "latest" };
  const index = { schemaVersion: 2, manifests: [{ ...manifest.descriptor, annotations }] };
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  writeFileSync(join(folder, "index.json"), JSON.stringify(index));
}
