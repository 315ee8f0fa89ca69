import type { IncomingHttpHeaders } from "node:http";
import { join } from "./connection.ts";

/** Below the 100 MB of Cloudflare's Free and Pro plans. */
export const BODY_BYTES_DEFAULT = 90_000_000;
const BODY_BYTES_LEAST = 1_000_000;

/**
 * How much one request to a registry holds at most, as far as is known: proxies refuse what is larger, and do not say what they
 * would take; other registries take a blob of any size in one request, and no chunks, or only small ones. One for each registry.
 */
export class BodyLimit {
  #bytes: number;
  /** Whether the registry takes a blob in more than one request. Undefined as long as it was not tried. */
  #takesChunks: boolean | undefined;

  constructor(bytes = BODY_BYTES_DEFAULT) {
    this.#bytes = bytes;
  }

  /** Infinity where a blob goes in one request, whatever its size. */
  get bytes(): number {
    return this.#takesChunks === false ? Infinity : this.#bytes;
  }

  /** What the answer to the start of an upload says: `OCI-Chunk-Min-Length`, and the maximum that is proposed beside it. */
  learn(headers: IncomingHttpHeaders): void {
    const most = parseLength(headers["oci-chunk-max-length"]);
    const least = parseLength(headers["oci-chunk-min-length"]);
    if (most !== undefined) this.#bytes = Math.min(this.#bytes, most);
    if (least !== undefined) this.#bytes = Math.max(this.#bytes, least);
  }

  /** A chunk was taken. */
  succeed(): void {
    this.#takesChunks = true;
  }

  /** A request was too large (413). False where smaller ones are no way out. */
  shrink(blobBytes: number): boolean {
    if (this.#takesChunks === false) return false;
    const tried = Math.min(this.#bytes, blobBytes);
    if (tried <= BODY_BYTES_LEAST) return false;
    this.#bytes = Math.max(BODY_BYTES_LEAST, Math.floor(tried / 2));
    return true;
  }

  /** A first chunk was refused: from now on blobs go in one request. False where this one did so already. */
  refuseChunks(blobBytes: number): boolean {
    if (this.#takesChunks !== undefined || blobBytes <= this.#bytes) return false;
    this.#takesChunks = false;
    return true;
  }
}

function parseLength(header: string | string[] | undefined): number | undefined {
  const text = join(header) ?? "";
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}
