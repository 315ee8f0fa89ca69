import type { Context } from "../context.ts";
import { logError, unlessItFails } from "../log.ts";
import { commitBlob } from "../metadata/blobs.ts";
import { discardUnneeded } from "../metadata/discarded-objects.ts";
import { claimMirror } from "../metadata/mirrored.ts";
import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import type { ByteRange } from "../oci/range.ts";
import type { MirrorAddress } from "../policy/upstream.ts";
import { findBlob } from "../registry/blobs.ts";
import { type FoundBlob, foundBlob } from "../registry/content.ts";
import { storeArriving, verifiedBytes } from "../storage/arriving-blob.ts";
import { BodyError } from "../storage/body-reader.ts";
import type { CreatedObject } from "../storage/part-writer.ts";
import { ClientEnd } from "./client-end.ts";
import { type Flight, waitFor } from "./flights.ts";
import { problem } from "./transport.ts";
import { askUpstream } from "./upstream.ts";

/** A blob of an upstream, which is not here. */
interface Arrival {
  readonly context: Context;
  readonly address: MirrorAddress;
  readonly digest: Digest;
}

/** The bytes of an upstream's answer, and how many they are. */
interface Opened {
  readonly size: number;
  readonly body: ReadableStream<Uint8Array>;
}

const keyOf = ({ address, digest }: Arrival): string => `${address.repository}@${digest}`;

/** How many bytes an answer says that it has. Throws UpstreamError where it does not say. */
export function statedSize({ upstream }: MirrorAddress, headers: Headers): number {
  const text = headers.get("Content-Length");
  if (text === null || !/^\d{1,15}$/.test(text)) throw problem(upstream, "does not say how large its content is");
  return Number(text);
}

async function open({ context, address, digest }: Arrival): Promise<Opened> {
  const response = await askUpstream(context, address, { method: "GET", path: `blobs/${digest}` });
  const size = statedSize(address, response.headers);
  return { size, body: (response.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array> };
}

/**
 * Spec end-2, GET, of a blob that the upstream has and that is not here: the client reads it while it is stored. Of many requests for
 * it in one isolate one asks the upstream, and the others wait until it is here. One upstream request; of R2 what
 * {@link storeArriving} takes; two D1 round trips.
 * @throws UpstreamError
 */
export async function fetchBlob(arrival: Arrival): Promise<FoundBlob> {
  const { context, digest } = arrival;
  const { now } = context;
  const other = context.mirror.flightOf(keyOf(arrival), now());
  if (other) {
    await waitFor(other, "size", now);
    const { size } = other;
    if (size !== undefined)
      return { digest, size, read: (range) => Promise.resolve(readAfter(arrival, other, size, range)) };
  }
  const flight: Flight = { size: undefined, state: "flying", movedAt: now() };
  context.mirror.depart(keyOf(arrival), flight, now());
  try {
    const opened = await open(arrival);
    flight.size = opened.size;
    flight.movedAt = now();
    return { digest, size: opened.size, read: (range) => Promise.resolve(readAlong(arrival, flight, opened, range)) };
  } catch (error) {
    land(arrival, flight, "failed");
    throw error;
  }
}

function land(arrival: Arrival, flight: Flight, state: "landed" | "failed"): void {
  flight.state = state;
  arrival.context.mirror.arrive(keyOf(arrival), flight);
}

/** The bytes, while they are stored. */
function readAlong(
  arrival: Arrival,
  flight: Flight,
  opened: Opened,
  range: ByteRange | undefined,
): ReadableStream<Uint8Array> {
  const client = new ClientEnd(range ?? { offset: 0, length: opened.size });
  arrival.context.defer(arrive(arrival, flight, opened, client));
  return client.readable;
}

/** The bytes, once another request has stored them; from the upstream, where that came to nothing. */
function readAfter(
  arrival: Arrival,
  other: Flight,
  size: number,
  range: ByteRange | undefined,
): ReadableStream<Uint8Array> {
  const { context } = arrival;
  const client = new ClientEnd(range ?? { offset: 0, length: size });
  const copy = async () => {
    await waitFor(other, "end", context.now);
    if (other.state === "landed") {
      const stored = foundBlob(context, await findBlob(context, arrival.address.repository, arrival.digest));
      await client.pipe((await stored.read(range)) as ReadableStream<Uint8Array>);
      return;
    }
    const opened = await open(arrival);
    if (opened.size !== size) throw problem(arrival.address.upstream, "has told two sizes of one blob");
    await arrive(arrival, { size, state: "flying", movedAt: context.now() }, opened, client);
  };
  context.defer(
    copy().catch(async (error: unknown) => {
      await client.abort(error);
      throw error;
    }),
  );
  return client.readable;
}

/** Gives the client each piece, and whoever stores them; the next is asked for when both are done with it. */
async function* passing(
  source: AsyncGenerator<Uint8Array, void>,
  client: ClientEnd,
  onPiece: () => void,
): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const next = await source.next();
    if (next.done === true) return;
    onPiece();
    const sent = client.write(next.value);
    try {
      yield next.value;
    } finally {
      await sent;
    }
  }
}

/** What comes of a source, or of whoever reads it: an error of its own says that the bytes are not to be had. */
function isOfSource(error: unknown): boolean {
  return error instanceof BodyError || error instanceof OciError;
}

async function arrive(arrival: Arrival, flight: Flight, opened: Opened, client: ClientEnd): Promise<void> {
  const { context, address, digest } = arrival;
  const created: CreatedObject[] = [];
  const source = verifiedBytes(opened.body, { digest, size: opened.size });
  const pieces = () =>
    passing(source, client, () => {
      flight.movedAt = context.now();
    });
  try {
    const objectKey = await storeArriving(context.bucket, pieces(), { digest, size: opened.size }, (object) =>
      created.push(object),
    );
    await client.close();
    await commit(arrival, { size: opened.size, objectKey });
    land(arrival, flight, "landed");
  } catch (error) {
    land(arrival, flight, "failed");
    const discarded = discardUnneeded(context.db, created, context.now());
    if (created.length > 0) await unlessItFails("objects of a mirrored blob were not discarded", discarded.run());
    if (isOfSource(error)) {
      await client.abort(error);
      logError(`${address.upstream.name} gave no blob ${digest} of ${address.remote}`, error);
      return;
    }
    // It could not be kept: the client gets it all the same.
    await drain(pieces(), client);
    throw error;
  }
}

async function drain(pieces: AsyncGenerator<Uint8Array, void>, client: ClientEnd): Promise<void> {
  try {
    while ((await pieces.next()).done !== true);
    await client.close();
  } catch (error) {
    await client.abort(error);
  }
}

/** Makes what was stored a blob of the repository, unless that turns out to be one of our own. */
async function commit(
  { context, address, digest }: Arrival,
  stored: { readonly size: number; readonly objectKey: string },
): Promise<void> {
  const { db, now } = context;
  const { repository, upstream } = address;
  if (!(await claimMirror(db, repository, upstream.name, now())))
    throw new Error(`${repository} is no mirror any more`);
  await commitBlob(db, { ...stored, digest, repository, now: now() });
}
