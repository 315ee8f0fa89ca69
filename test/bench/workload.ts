/** Operations of clients, and what each costs the database. */
import { createHash, randomBytes } from "node:crypto";
import type { Usage } from "../support/counting.ts";

/** How often each is done: the database's clock tells whole milliseconds, so that only the mean of many says how long one takes. */
const TIMES = 1_000;
const WARM_UP = 20;

interface Init {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
}

/** Of an operation, on average. */
export interface Cost {
  readonly rowsRead: number;
  readonly databaseMs: number;
}

const REPOSITORY = "big";
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
export const PASSWORD = "a password of the bench";
const ADMIN = { Authorization: `Basic ${btoa(`admin:${PASSWORD}`)}` };
const NOBODY = { Authorization: `Basic ${btoa(":")}` };

const digestOf = (bytes: Uint8Array | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

interface Blob {
  readonly digest: string;
  readonly size: number;
}

/** What operations need: content of their own in the repository. */
class Client {
  readonly #origin: string;
  readonly blobs: Blob[] = [];
  pulled = "";

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** What a request cost. @throws Error for one that is refused. */
  async send(path: string, init: Init = {}): Promise<Usage> {
    const answer = await fetch(this.#origin + path, { ...init, headers: { ...ADMIN, ...init.headers } });
    const body = await answer.text();
    if (!answer.ok && init.method !== "HEAD") {
      throw new Error(`${init.method ?? "GET"} ${path}: ${answer.status} ${body}`);
    }
    const usage = answer.headers.get("X-Usage");
    if (usage === null) throw new Error("the Worker does not tell what it costs");
    return JSON.parse(usage) as Usage;
  }

  async pushBlob(): Promise<Usage> {
    const bytes = Uint8Array.from(randomBytes(64));
    this.blobs.push({ digest: digestOf(bytes), size: bytes.byteLength });
    return await this.send(`/v2/${REPOSITORY}/blobs/uploads/?digest=${digestOf(bytes)}`, {
      method: "POST",
      body: bytes,
    });
  }

  /** A manifest of five layers that nobody has pushed yet. */
  async pushImage(tag: string): Promise<Usage> {
    const [config, ...layers] = this.blobs.slice(0, 6);
    const body = JSON.stringify({
      ...{
        schemaVersion: 2,
        mediaType: MANIFEST_TYPE,
        annotations: { "test.random": randomBytes(16).toString("hex") },
      },
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: layers.map((layer) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...layer })),
    });
    this.pulled = digestOf(body);
    const headers = { "Content-Type": MANIFEST_TYPE };
    return await this.send(`/v2/${REPOSITORY}/manifests/${tag}`, { method: "PUT", headers, body });
  }

  async prepare(): Promise<void> {
    while (this.blobs.length < 6) await this.pushBlob();
    await this.pushImage("pulled");
    const patch = { method: "PATCH", headers: { "Content-Type": "application/json" }, body: '{"visibility":"public"}' };
    await this.send(`/api/repositories/${REPOSITORY}`, patch);
  }
}

interface Operation {
  readonly does: string;
  readonly run: (client: Client, count: number) => Promise<Usage>;
}

const get = (does: string, path: string | ((client: Client) => string), init: Init = {}): Operation => ({
  does,
  run: async (client) => await client.send(typeof path === "string" ? path : path(client), init),
});

const repository = `/v2/${REPOSITORY}`;
const absent = `sha256:${"e".repeat(64)}`;

export const OPERATIONS: readonly Operation[] = [
  get("token as nobody", `/token?service=stowage&scope=repository:${REPOSITORY}:pull`, { headers: NOBODY }),
  get("manifest by tag", `${repository}/manifests/pulled`),
  get("manifest by digest", ({ pulled }) => `${repository}/manifests/${pulled}`),
  get("blob", ({ blobs }) => `${repository}/blobs/${blobs[0]?.digest ?? ""}`),
  get("HEAD of an absent blob", `${repository}/blobs/${absent}`, { method: "HEAD" }),
  { does: "push of a blob", run: async (client) => await client.pushBlob() },
  { does: "push of a manifest, new tag", run: async (client, count) => await client.pushImage(`new-${count}`) },
  { does: "push of a manifest, tag moves", run: async (client) => await client.pushImage("moving") },
  {
    does: "deletion of a tag",
    run: async (client, count) => await client.send(`${repository}/manifests/new-${count}`, { method: "DELETE" }),
  },
  get("100 tags", `${repository}/tags/list?n=100`),
  get("100 tags, after one", `${repository}/tags/list?n=100&last=v1.12`),
  get("100 repositories, as Docker's catalog", "/v2/_catalog?n=100"),
  get("100 repositories, as the admin API", "/api/repositories?n=100&last=team-0"),
  get("referrers", ({ pulled }) => `${repository}/referrers/${pulled}`),
  get("usage", "/api/usage"),
];

/** What seems to take longer was interrupted: the machine had other things to do. */
const LONGEST_MS = 4;

function summarise(usages: readonly Usage[]): Cost {
  const rows = usages.map(({ rowsRead }) => rowsRead).toSorted((one, other) => one - other);
  const databaseMs = usages.reduce((sum, usage) => sum + Math.min(usage.databaseMs, LONGEST_MS), 0) / usages.length;
  return { rowsRead: rows[rows.length >> 1] ?? 0, databaseMs };
}

/** Does everything many times, in each of the registries in turn: so that what disturbs one disturbs the other. */
export async function measure(origins: readonly string[]): Promise<Map<string, Cost>[]> {
  const clients = origins.map((origin) => new Client(origin));
  for (const client of clients) await client.prepare();
  const costs = clients.map(() => new Map<string, Cost>());
  for (const { does, run } of OPERATIONS) {
    const usages = clients.map((): Usage[] => []);
    for (let count = 0; count < WARM_UP + TIMES; count += 1) {
      for (const [index, client] of clients.entries()) {
        const usage = await run(client, count);
        if (count >= WARM_UP) usages[index]?.push(usage);
      }
    }
    usages.forEach((of, index) => costs[index]?.set(does, summarise(of)));
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${does}`);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  return costs;
}
