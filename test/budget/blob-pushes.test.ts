import { describe, expect, it } from "vitest";
import { PART_SIZE_BYTES } from "../../src/oci/upload-session.ts";
import { type Budget, expectWithin } from "../support/budget.ts";
import { makeBytes } from "../support/content.ts";
import { CountedRegistry, type Measured } from "../support/counted-registry.ts";
import type { Usage } from "../support/counting.ts";
import * as push from "../support/pushes.ts";

const registry = new CountedRegistry();

/** Bytes that wait for more are written twice: no more of them than a part. */
function expectWrittenOnce(usage: Usage, size: number): void {
  expect.soft(usage.bytesWritten, "bytes written").toBeGreaterThanOrEqual(size);
  expect.soft(usage.bytesWritten, "bytes written").toBeLessThanOrEqual(size + PART_SIZE_BYTES);
}

type Push = (registry: CountedRegistry, blob: push.BlobPush) => Promise<Measured[]>;

interface PushCase {
  readonly by: string;
  readonly push: Push;
  readonly size: number;
  readonly budget: Budget;
}

/** Sizes in parts: whole ones, and with a remainder. */
const MULTIPART_CASES = [2, 3, 5].flatMap((parts): PushCase[] => [
  {
    by: `PATCH of unknown length, exactly ${parts} parts`,
    ...{ push: push.pushByPatch, size: parts * PART_SIZE_BYTES },
    budget: [parts + 4, 1, 5],
  },
  {
    by: `PATCH of unknown length, ${parts} parts of which the last is short`,
    ...{ push: push.pushByPatch, size: (parts - 1) * PART_SIZE_BYTES + 1_000_000 },
    budget: [parts + 4, 1, 5],
  },
]);

const withLength: Push = async (to, { repository, bytes }) =>
  await push.pushByPatch(to, { repository, bytes, body: { bytes } });

const inPutOfUnknownLength: Push = async (to, { repository, bytes }) =>
  await push.pushByPut(to, { repository, bytes, body: push.unknownLength(bytes) });

const chunksOf =
  (chunkSize: number): Push =>
  async (to, { repository, bytes }) =>
    await push.pushInChunks(to, { repository, bytes, chunkSize });

const PUSHES: readonly PushCase[] = [
  ...[0, 1_000, 7_000_000].flatMap((size): PushCase[] => [
    { by: `POST of ${size} bytes with the digest`, push: push.pushByPost, size, budget: [1, 0, 1] },
    { by: `PUT of ${size} bytes`, push: push.pushByPut, size, budget: [1, 0, 3] },
  ]),
  ...[1, 70_000].map((size): PushCase => ({
    by: `PATCH of ${size} bytes of unknown length`,
    ...{ push: push.pushByPatch, size, budget: [1, 0, 5] },
  })),
  {
    by: "PATCH of unknown length, one byte less than a part",
    ...{ push: push.pushByPatch, size: PART_SIZE_BYTES - 1, budget: [1, 0, 5] },
  },
  ...MULTIPART_CASES,
  ...[1_000, 70_000, 7_000_000].map((size): PushCase => ({
    by: `PATCH that states its length of ${size} bytes`,
    ...{ push: withLength, size, budget: [1, 0, 5] },
  })),
  { by: "PUT of 1000 bytes of unknown length", push: inPutOfUnknownLength, size: 1_000, budget: [1, 0, 3] },
  {
    by: "PUT of 7 MB of unknown length: two parts",
    ...{ push: inPutOfUnknownLength, size: 7_000_000, budget: [4, 1, 3] },
  },
  {
    by: "three equal chunks of 6 MB: a part each",
    ...{ push: chunksOf(6_000_000), size: 18_000_000, budget: [5, 0, 9] },
  },
  {
    by: "chunks of 6 MB, the last of which is short",
    ...{ push: chunksOf(6_000_000), size: 13_000_000, budget: [6, 1, 9] },
  },
  {
    by: "80 chunks of 1 KB: an object for each 64 KB, and the blob",
    ...{ push: chunksOf(1_000), size: 80_000, budget: [2, 1, 3 + 2 * 80] },
  },
];

describe("pushes of a blob, all requests together", () => {
  it.each(PUSHES.map((one, seed) => ({ ...one, seed })))("by $by", async ({ push: pushBy, size, budget, seed }) => {
    const measured = await pushBy(registry, { repository: "pushes", bytes: makeBytes(size, seed + 10) });
    expect(measured.at(-1)?.status).toBe(201);
    expectWrittenOnce(expectWithin(measured, budget), size);
  });

  // The one way that may exceed the budget for bytes: a chunk between 64 KB and a part waits in an object of its own,
  // and is copied from there.
  it("by chunks of 1 MB: each byte is written twice at most, and read once", async () => {
    const bytes = makeBytes(8_000_000, 9);
    const measured = await push.pushInChunks(registry, { repository: "pushes", bytes, chunkSize: 1_000_000 });
    expect(measured.at(-1)?.status).toBe(201);
    const usage = expectWithin(measured, [8 + 4, 8, 3 + 2 * 8]);
    expect(usage.bytesWritten).toBeLessThanOrEqual(2 * bytes.byteLength);
  });
});
