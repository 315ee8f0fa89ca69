import { AgedCache } from "../aged-cache.ts";
import type { ByteRange } from "../oci/range.ts";

/**
 * A cache of its own name: unlike the default one, it is not the one that answers requests from outside or the Worker's own
 * `fetch`, so that nothing but this file reads it.
 */
const CACHE_NAME = "stowage-objects";

/** No route of the registry begins so. */
const PATH = "/.objects/";

/** Follows an object's key: what lies there says that all of its bytes are in the cache. */
const WHOLE = "/whole";

/** What the cache takes, on all plans but Enterprise. */
const OBJECT_MAX_BYTES = 512_000_000;

/** Bytes never change; but those of deleted content should not lie in data centres for good. */
const KEPT_SECONDS = 7 * 86_400;

/**
 * An isolate writes an object once in this time: many who ask for it at once, and a platform whose cache keeps nothing, would
 * have it written with each answer.
 */
const WRITE_AGAIN_MS = 10 * 60_000;

const WRITES = { entries: 4_096, bytes: 1_500_000 };
const WRITE_BYTES = 360;

/** An object of the bucket, whose size is known. */
export interface SizedObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

/** What the isolate has written. */
export const newWrites = (): AgedCache<true> => new AgedCache<true>(WRITES);

/**
 * Bytes of objects in the data centre's cache, under their keys, which are unique and whose bytes never change. Whoever is
 * given them has been told their key by the database, which no client is.
 */
export class EdgeCache {
  readonly #origin: string;
  readonly #writes: AgedCache<true>;

  /** @param origin the registry's own: the cache is slow with names of others. */
  constructor(origin: string, writes: AgedCache<true>) {
    this.#origin = origin;
    this.#writes = writes;
  }

  #urlOf(key: string): string {
    return `${this.#origin}${PATH}${key}`;
  }

  /** The bytes, or a part of them; undefined where they are not here. */
  async read({ key, size }: SizedObject, range?: ByteRange): Promise<ReadableStream<Uint8Array> | undefined> {
    const { offset, length } = range ?? { offset: 0, length: size };
    const positions = `${offset}-${offset + length - 1}`;
    const headers = range ? { Range: `bytes=${positions}` } : {};
    const cache = await caches.open(CACHE_NAME);
    const [response, whole] = await Promise.all([
      cache.match(new Request(this.#urlOf(key), { headers })),
      cache.match(this.#urlOf(key + WHOLE)),
    ]);
    await whole?.body?.cancel();
    if (!response?.body) return undefined;
    const isWanted = range
      ? response.status === 206 && response.headers.get("Content-Range") === `bytes ${positions}/${size}`
      : response.status === 200 && response.headers.get("Content-Length") === String(size);
    if (whole && isWanted) return response.body;
    await response.body.cancel();
    return undefined;
  }

  /** Whether whoever asks should write the object now: otherwise it is too big, or was written not long ago. */
  claimWrite({ key, size }: SizedObject, now: number): boolean {
    if (size === 0 || size > OBJECT_MAX_BYTES || this.#writes.get(key, now - WRITE_AGAIN_MS)) return false;
    this.#writes.put(key, true, now, WRITE_BYTES);
    return true;
  }

  /**
   * Stores all bytes of an object. They flow from one to the other, and none of them through the Worker's memory. What breaks off
   * on the way, as when the Worker's time is over, is never read: nothing says then that it is whole.
   */
  async write({ key, size }: SizedObject, body: ReadableStream<Uint8Array>): Promise<void> {
    const cache = await caches.open(CACHE_NAME);
    const headers = { "Cache-Control": `max-age=${KEPT_SECONDS}, no-transform` };
    const type = "application/octet-stream";
    await cache.put(
      this.#urlOf(key),
      new Response(body, { headers: { ...headers, "Content-Type": type, "Content-Length": String(size) } }),
    );
    await cache.put(this.#urlOf(key + WHOLE), new Response("whole", { headers }));
  }
}
