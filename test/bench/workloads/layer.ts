import { formatMb, type Plan } from "../plan.ts";
import type { BenchServer } from "../servers/server.ts";
import { Client, type UploadMode } from "./client.ts";
import { type Blob, type Content, type Image, imageOf } from "./content.ts";
import { type Raw, RAW_WAYS, transferRaw } from "./raw.ts";
import { type Figures, REGISTRIES, secondsOf, type Workload } from "./workload.ts";

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
    if (server.name === "limit") {
      const { push, pull, broken } = await transferRaw(server, raw, [blob]);
      return { [`${name}.push`]: push, [`${name}.pull`]: pull, [`${name}.broken`]: broken };
    }
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
      {
        id: `${name}.push`,
        title: `push one layer of ${size}, ${way}`,
        unit: "s",
        limit: `raw write, ${RAW_WAYS[raw]}`,
      },
      {
        id: `${name}.pull`,
        title: `pull one layer of ${size}, pushed ${way}`,
        unit: "s",
        limit: `raw read, ${RAW_WAYS[raw]}`,
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
