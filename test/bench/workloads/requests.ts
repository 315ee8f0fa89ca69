import type { Plan } from "../plan.ts";
import type { Metric } from "../report/results.ts";
import type { BenchServer } from "../servers/server.ts";
import { Client } from "./client.ts";
import { type Content, type Image, imageOf, MANIFEST_TYPE } from "./content.ts";
import { type Load, measureLoad } from "./load.ts";
import { REGISTRIES, type Step, type Workload } from "./workload.ts";

const REPOSITORY = "bench/requests";
const TAG = "latest";
const LAYER_BYTES = 10_000;
const LAYERS = 5;

/** A small request, and the handler that does the least that it could take. */
interface Operation {
  readonly name: string;
  readonly title: string;
  readonly method: Load["method"];
  readonly path: (image: Image) => string;
  readonly limit: { readonly title: string; readonly path: string };
}

const EMPTY = { title: "empty handler", path: "/empty" };
const ONE_QUERY = { title: "one D1 query", path: "/row" };

const byTag = () => `manifests/${TAG}`;
const byDigest = ({ manifest }: Image) => `manifests/${manifest.descriptor.digest}`;
const ofBlob = ({ layers }: Image) => `blobs/${layers[0]?.descriptor.digest}`;

const OPERATIONS: readonly Operation[] = [
  { name: "get-tag", title: "GET a manifest by tag", method: "GET", path: byTag, limit: ONE_QUERY },
  { name: "head-tag", title: "HEAD a manifest by tag", method: "HEAD", path: byTag, limit: ONE_QUERY },
  { name: "get-digest", title: "GET a manifest by digest", method: "GET", path: byDigest, limit: EMPTY },
  { name: "head-digest", title: "HEAD a manifest by digest", method: "HEAD", path: byDigest, limit: EMPTY },
  { name: "head-blob", title: "HEAD a blob", method: "HEAD", path: ofBlob, limit: ONE_QUERY },
];

/** Small requests over connections that stay open: answers in a second, and how long 99 in 100 took at most. */
export function requests({ connections, requestsMs }: Plan, content: Content): Workload {
  const image = imageOf(content.layers(LAYERS, LAYER_BYTES));
  const cases = OPERATIONS.flatMap((operation) => connections.map((number) => ({ operation, connections: number })));
  return {
    name: "requests",
    title: "requests",
    metrics: cases.flatMap((each) => [rateMetric(each), p99Metric(each)]),
    servers: [...REGISTRIES, "limit"],
    setUp: async (server) => {
      if (server.name === "limit") return;
      const client = await Client.open(server, REPOSITORY);
      await client.push(image, TAG);
      await client.close();
    },
    steps: cases.map((each): Step => ({ measure: async (server) => await measure(server, each, image, requestsMs) })),
  };
}

interface Case {
  readonly operation: Operation;
  readonly connections: number;
}

async function measure(server: BenchServer, each: Case, image: Image, durationMs: number) {
  const { method, path, limit } = each.operation;
  const { rate, p99Ms } = await measureLoad({
    url: server.name === "limit" ? `${server.url}${limit.path}` : `${server.url}/v2/${REPOSITORY}/${path(image)}`,
    method,
    headers: { accept: MANIFEST_TYPE, ...(await server.authorize(REPOSITORY, "pull")) },
    connections: each.connections,
    durationMs,
  });
  return { [rateMetric(each).id]: rate, [p99Metric(each).id]: p99Ms };
}

function rateMetric({ operation: { name, title, limit }, connections }: Case): Metric {
  return {
    id: `requests.${name}.${connections}.rate`,
    title: `${title}, ${formatConnections(connections)}`,
    unit: "requests/s",
    limit: limit.title,
  };
}

function p99Metric({ operation: { name, title, limit }, connections }: Case): Metric {
  return {
    id: `requests.${name}.${connections}.p99`,
    title: `${title}, ${formatConnections(connections)}: 99 in 100 within`,
    unit: "ms",
    limit: limit.title,
  };
}

function formatConnections(connections: number): string {
  return connections === 1 ? "1 connection" : `${connections} connections`;
}
