import type { BenchServer, Headers } from "../servers/server.ts";
import { type Blob, type Descriptor, type Image, MANIFEST_TYPE } from "./content.ts";
import { Connections, drain, type Outgoing } from "./http.ts";

/** As docker does by default. */
export const UPLOADS_AT_ONCE = 5;
export const DOWNLOADS_AT_ONCE = 3;

const OCTETS = { "content-type": "application/octet-stream" };

/** How a blob goes up: as docker does it, `POST`, `PATCH` of unknown length and `PUT`; or `POST` and one `PUT`. */
export type UploadMode = "patch" | "put";

/** A client of the distribution spec that is the same for each server, and only streams. */
export class Client {
  readonly #base: URL;
  readonly #headers: Headers;
  readonly #pullHeaders: Headers;
  readonly #connections: Connections;

  private constructor(base: URL, headers: Headers, pullHeaders: Headers) {
    this.#base = base;
    this.#headers = headers;
    this.#pullHeaders = pullHeaders;
    this.#connections = new Connections(base.origin, UPLOADS_AT_ONCE);
  }

  /** A client that may push to the repository, and pulls from it as one that may not. */
  static async open(server: BenchServer, repository: string): Promise<Client> {
    const [push, pull] = [await server.authorize(repository, "pull,push"), await server.authorize(repository, "pull")];
    return new Client(new URL(`/v2/${repository}/`, server.url), push, pull);
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  /** How often a request found its connection broken, and was sent once more. */
  get broken(): number {
    return this.#connections.broken;
  }

  /** Pushes the layers that the repository lacks, then the config, then the manifest under the tag. */
  async push(image: Image, tag: string, mode: UploadMode = "patch"): Promise<void> {
    await atOnce(UPLOADS_AT_ONCE, image.layers, async (blob) => await this.#pushBlob(blob, mode));
    await this.#pushBlob(image.config, mode);
    const { mediaType, size } = image.manifest.descriptor;
    const headers = { "content-type": mediaType, "content-length": String(size) };
    const put = { method: "PUT", headers, body: image.manifest, expected: [201] } as const;
    await this.#ask(`manifests/${tag}`, put);
  }

  /** Pulls the image under the tag. Throws when a blob does not have its size. */
  async pull(tag: string): Promise<void> {
    const get = { method: "GET", expected: [200], headers: this.#pullHeaders } as const;
    const accept = { accept: MANIFEST_TYPE, ...this.#pullHeaders };
    const response = await this.#send(`manifests/${tag}`, { ...get, headers: accept });
    const { config, layers } = (await response.body.json()) as { config: Descriptor; layers: Descriptor[] };
    await atOnce(DOWNLOADS_AT_ONCE, [config, ...layers], async ({ digest, size }) => {
      const length = await drain(await this.#send(`blobs/${digest}`, get));
      if (length !== size) throw new Error(`${digest} has ${length} bytes, not ${size}`);
    });
  }

  async #pushBlob(blob: Blob, mode: UploadMode): Promise<void> {
    const { digest, size } = blob.descriptor;
    const { status } = await this.#ask(`blobs/${digest}`, { method: "HEAD", expected: [200, 404] });
    if (status === 200) return;
    const empty = { "content-length": "0" };
    let { location } = await this.#ask("blobs/uploads/", { method: "POST", headers: empty, expected: [202] });
    if (mode === "patch") {
      const patch = { method: "PATCH", headers: OCTETS, body: blob, expected: [202] } as const;
      ({ location } = await this.#ask(location, patch));
    }
    const end = `${location}${location.includes("?") ? "&" : "?"}digest=${digest}`;
    const whole = { headers: { ...OCTETS, "content-length": String(size) }, body: blob };
    await this.#ask(end, { method: "PUT", expected: [201], ...(mode === "patch" ? { headers: empty } : whole) });
  }

  /** A request of whose answer only status and Location matter. */
  async #ask(reference: string, request: Omit<Outgoing, "path">): Promise<{ status: number; location: string }> {
    const response = await this.#send(reference, request);
    await drain(response);
    return { status: response.statusCode, location: String(response.headers.location) };
  }

  /** The reference is a Location, or a path below the repository. */
  async #send(reference: string, request: Omit<Outgoing, "path">) {
    const { pathname, search } = new URL(reference, this.#base);
    const headers = { ...this.#headers, ...request.headers };
    return await this.#connections.send({ ...request, path: `${pathname}${search}`, headers });
  }
}

/** Does the work for each item, so many of them at a time. */
export async function atOnce<T>(limit: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
