import { randomUUID } from "node:crypto";
import { formatMb, type Plan } from "../plan.ts";
import type { BenchServer } from "../servers/server.ts";
import { Client, type UploadMode } from "./client.ts";
import { type Blob, type Content, type Image, imageOf } from "./content.ts";
import { Connections, drain, type Outgoing } from "./http.ts";
import { type Figures, REGISTRIES, secondsOf, type Workload } from "./workload.ts";

/** How a Worker that does nothing else puts the same bytes into R2: in one put, or where their number is unknown, in parts. */
type Raw = "objects" | "parts";

const LIMITS: Readonly<Record<Raw, string>> = { objects: "one R2 put", parts: "R2 multipart" };

/** One big layer, pushed and pulled, beside the same bytes put into R2 and read from it by a Worker that does nothing else. */
export function layer(plan: Plan, content: Content): Workload {
  return bigLayer(plan, content, { name: "layer", mode: "patch", way: "as docker does", raw: "parts" });
}

/** The same, pushed with its length and digest known. */
export function layerPut(plan: Plan, content: Content): Workload {
  return bigLayer(plan, content, { name: "layer-put", mode: "put", way: "POST and one PUT", raw: "objects" });
}

function bigLayer(
  { layerBytes }: Plan,
  content: Content,
  { name, mode, way, raw }: { name: string; mode: UploadMode; way: string; raw: Raw },
): Workload {
  const size = formatMb(layerBytes);
  let blob: Blob;
  let image: Image;
  const transfer = async (server: BenchServer): Promise<Figures> => {
    if (server.name === "limit") return await transferRaw(server, name, raw, blob);
    const client = await Client.open(server, "bench/layer");
    const push = await secondsOf(async () => await client.push(image, "latest", mode));
    const pull = await secondsOf(async () => await client.pull("latest"));
    await client.close();
    return { [`${name}.push`]: push, [`${name}.pull`]: pull, [`${name}.broken`]: client.broken };
  };
  return {
    name,
    title: `a big layer, ${way}`,
    metrics: [
      { id: `${name}.push`, title: `push one layer of ${size}, ${way}`, unit: "s", limit: `raw write, ${LIMITS[raw]}` },
      {
        id: `${name}.pull`,
        title: `pull one layer of ${size}, pushed ${way}`,
        unit: "s",
        limit: `raw read, ${LIMITS[raw]}`,
      },
      { id: `${name}.broken`, title: `connections that broke, one layer, ${way}`, unit: "times" },
    ],
    servers: [...REGISTRIES, "limit"],
    steps: [
      {
        prepare: () => {
          blob = content.layer(layerBytes);
          image = imageOf([blob]);
        },
        measure: transfer,
      },
    ],
  };
}

async function transferRaw(server: BenchServer, name: string, raw: Raw, blob: Blob): Promise<Figures> {
  const connections = new Connections(server.url, 1);
  const path = `/${raw}/${randomUUID()}`;
  const headers = { "content-length": String(blob.descriptor.size) };
  const transfer = async (request: Pick<Outgoing, "method" | "headers" | "body" | "expected">) =>
    await secondsOf(async () => await drain(await connections.send({ ...request, path })));
  const push = await transfer({ method: "PUT", headers, body: blob, expected: [201] });
  const pull = await transfer({ method: "GET", expected: [200] });
  await connections.close();
  return { [`${name}.push`]: push, [`${name}.pull`]: pull, [`${name}.broken`]: connections.broken };
}
