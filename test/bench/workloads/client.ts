import { Agent, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import type { BenchServer, Headers } from "../servers/server.ts";
import { type Blob, type Descriptor, type Image, MANIFEST_TYPE } from "./content.ts";
import { drain, send } from "./http.ts";

/** As docker does by default. */
const UPLOADS_AT_ONCE = 5;
const DOWNLOADS_AT_ONCE = 3;

const OCTETS = { "content-type": "application/octet-stream" };

/** How a blob goes up: as docker does it, `POST`, `PATCH` of unknown length and `PUT`; or `POST` and one `PUT`. */
export type UploadMode = "patch" | "put";

/** A client of the distribution spec that is the same for each server, and only streams. */
export class Client {
  readonly #base: string;
  readonly #headers: Headers;
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(base: string, headers: Headers) {
    this.#base = base;
    this.#headers = headers;
  }

  /** A client that may use the repository. */
  static async open(server: BenchServer, repository: string): Promise<Client> {
    return new Client(`${server.url}/v2/${repository}/`, await server.authorize(repository));
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Pushes what the repository lacks, then the manifest under the tag. */
  async push(image: Image, tag: string, mode: UploadMode = "patch"): Promise<void> {
    const blobs = [...image.layers, image.config];
    await atOnce(UPLOADS_AT_ONCE, blobs, async (blob) => await this.#pushBlob(blob, mode));
    const { mediaType, size } = image.manifest.descriptor;
    const headers = { "content-type": mediaType, "content-length": String(size) };
    await this.#ask("PUT", `manifests/${tag}`, { expected: [201], headers, body: image.manifest });
  }

  /** Pulls the image under the tag. Throws when a blob does not have its size. */
  async pull(tag: string): Promise<void> {
    const accept = { accept: MANIFEST_TYPE };
    const response = await this.#send("GET", `manifests/${tag}`, { expected: [200], headers: accept });
    const { config, layers } = (await json(response)) as { config: Descriptor; layers: Descriptor[] };
    await atOnce(DOWNLOADS_AT_ONCE, [config, ...layers], async ({ digest, size }) => {
      const length = await drain(await this.#send("GET", `blobs/${digest}`, { expected: [200] }));
      if (length !== size) throw new Error(`${digest} has ${length} bytes, not ${size}`);
    });
  }

  async #pushBlob(blob: Blob, mode: UploadMode): Promise<void> {
    const { digest, size } = blob.descriptor;
    const { status } = await this.#ask("HEAD", `blobs/${digest}`, { expected: [200, 404] });
    if (status === 200) return;
    const empty = { "content-length": "0" };
    let { location } = await this.#ask("POST", "blobs/uploads/", { expected: [202], headers: empty });
    if (mode === "patch") {
      const patch = { expected: [202], headers: OCTETS, body: blob };
      ({ location } = await this.#ask("PATCH", location, patch));
    }
    const end = `${location}${location.includes("?") ? "&" : "?"}digest=${digest}`;
    const whole = { headers: { ...OCTETS, "content-length": String(size) }, body: blob };
    await this.#ask("PUT", end, { expected: [201], ...(mode === "patch" ? { headers: empty } : whole) });
  }

  /** A request of whose answer only status and Location matter. */
  async #ask(method: string, reference: string, details: Details): Promise<{ status: number; location: string }> {
    const response = await this.#send(method, reference, details);
    await drain(response);
    return { status: response.statusCode ?? 0, location: response.headers.location ?? "" };
  }

  /** The reference is a Location, or a path below the repository. */
  async #send(method: string, reference: string, { expected, headers, body }: Details): Promise<IncomingMessage> {
    const url = new URL(reference, this.#base).href;
    const all = { ...this.#headers, ...headers };
    return await send({ method, url, headers: all, agent: this.#agent, ...(body && { body }) }, expected);
  }
}

/** The statuses that are right, and what is sent. */
interface Details {
  readonly expected: readonly number[];
  readonly headers?: Headers;
  readonly body?: Blob;
}

/** Does the work for each item, so many of them at a time. */
async function atOnce<T>(limit: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
