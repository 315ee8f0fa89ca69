import { formatMb, type Plan } from "../plan.ts";
import type { BenchServer } from "../servers/server.ts";
import { Client } from "./client.ts";
import { type Content, type Image, imageOf } from "./content.ts";
import { transferRaw } from "./raw.ts";
import { type Figures, REGISTRIES, secondsOf, type Workload } from "./workload.ts";

/** What small images share, and what each has of its own. */
const BASE_BYTES = 60_000;
const OWN_BYTES = 20_000;

/** An image of ten layers, which go five at a time, and come three at a time. */
export function layers({ smallLayers: { count, bytes } }: Plan, content: Content): Workload {
  const size = `${count} layers of ${formatMb(bytes)}`;
  let image: Image;
  const measure = async (server: BenchServer): Promise<Figures> => {
    if (server.name === "limit") {
      const { push, pull, broken } = await transferRaw(server, "objects", image.layers);
      return { "layers.push": push, "layers.pull": pull, "layers.broken": broken };
    }
    const client = await Client.open(server, "bench/layers");
    const push = await secondsOf(async () => await client.push(image, "latest"));
    const pull = await secondsOf(async () => await client.pull("latest"));
    await client.close();
    return { "layers.push": push, "layers.pull": pull, "layers.broken": client.broken };
  };
  return {
    name: "layers",
    title: "ten small layers",
    metrics: [
      { id: "layers.push", title: `push ${size}`, unit: "s", limit: "raw writes, one R2 put each" },
      { id: "layers.pull", title: `pull ${size}`, unit: "s", limit: "raw reads" },
      { id: "layers.broken", title: "connections that broke, ten small layers", unit: "times" },
    ],
    servers: [...REGISTRIES, "limit"],
    steps: [{ prepare: () => void (image = imageOf(content.layers(count, bytes))), measure }],
  };
}

/** Small images on one base, one after the other; then all of them again. */
export function images({ images: count }: Plan, content: Content): Workload {
  let all: Image[] = [];
  const measure = async (server: BenchServer): Promise<Figures> => {
    const client = await Client.open(server, "bench/images");
    const push = async () => {
      for (const [index, image] of all.entries()) await client.push(image, `v${index}`);
    };
    const pull = async () => {
      for (const index of all.keys()) await client.pull(`v${index}`);
    };
    const seconds = {
      "images.push": await secondsOf(push),
      "images.pull": await secondsOf(pull),
      "images.push-again": await secondsOf(push),
      "images.pull-again": await secondsOf(pull),
    };
    await client.close();
    return { ...seconds, "images.broken": client.broken };
  };
  const prepare = () => {
    const base = content.layer(BASE_BYTES);
    all = Array.from({ length: count }, () => imageOf([base, content.layer(OWN_BYTES)]));
  };
  return {
    name: "images",
    title: "small images",
    metrics: [
      { id: "images.push", title: `push ${count} small images`, unit: "s" },
      { id: "images.push-again", title: `push the same ${count} again`, unit: "s" },
      { id: "images.pull", title: `pull ${count} small images`, unit: "s" },
      { id: "images.pull-again", title: `pull the same ${count} again`, unit: "s" },
      { id: "images.broken", title: "connections that broke, small images", unit: "times" },
    ],
    servers: REGISTRIES,
    steps: [{ prepare, measure }],
  };
}

/** Clients that each push an image of ten layers into a repository of their own and pull it back, all at once. */
export function clients({ clients: count, smallLayers }: Plan, content: Content): Workload {
  let all: Image[] = [];
  const measureRaw = async (server: BenchServer): Promise<Figures> => {
    let broken = 0;
    const seconds = await secondsOf(async () => {
      const transfers = all.map(async ({ layers }) => await transferRaw(server, "objects", layers));
      for (const transfer of await Promise.all(transfers)) broken += transfer.broken;
    });
    return { "clients.push-pull": seconds, "clients.broken": broken };
  };
  const measure = async (server: BenchServer): Promise<Figures> => {
    if (server.name === "limit") return await measureRaw(server);
    const opened = await Promise.all(all.map(async (_, index) => await Client.open(server, `bench/client-${index}`)));
    const seconds = await secondsOf(async () => {
      const each = opened.map(async (client, index) => {
        await client.push(all[index]!, "latest");
        await client.pull("latest");
      });
      await Promise.all(each);
    });
    await Promise.all(opened.map(async (client) => await client.close()));
    const broken = opened.reduce((sum, client) => sum + client.broken, 0);
    return { "clients.push-pull": seconds, "clients.broken": broken };
  };
  const prepare = () => {
    all = Array.from({ length: count }, () => imageOf(content.layers(smallLayers.count, smallLayers.bytes)));
  };
  const size = `${smallLayers.count} layers of ${formatMb(smallLayers.bytes)}`;
  return {
    name: "clients",
    title: "clients at once",
    metrics: [
      {
        id: "clients.push-pull",
        title: `${count} clients at once push and pull ${size} each`,
        unit: "s",
        limit: "raw writes and reads",
      },
      { id: "clients.broken", title: "connections that broke, clients at once", unit: "times" },
    ],
    servers: [...REGISTRIES, "limit"],
    steps: [{ prepare, measure }],
  };
}
