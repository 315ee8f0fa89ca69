import fc from "fast-check";
import { expect, it } from "vitest";
import { digestOf, randomBytes } from "../support/images.ts";
import { expectStatus, freshRepository, send } from "../support/registry.ts";
import { contentRange, finish, isEqual, patch, startUpload, streamOf } from "../support/uploads.ts";

/** One request of an upload: how many bytes, and how it tells of them. */
const piece = (size: fc.Arbitrary<number>) => fc.record({ size, ranged: fc.boolean(), streamed: fc.boolean() });

const upload = (size: fc.Arbitrary<number>, maxPieces: number) =>
  fc.record({
    pieces: fc.array(piece(size), { minLength: 0, maxLength: maxPieces }),
    lastInPut: fc.boolean(),
    algorithm: fc.constantFrom("sha256" as const, "sha512" as const),
    hint: fc.constantFrom("", "?digest-algorithm=sha256", "?digest-algorithm=sha512"),
    seed: fc.integer(),
  });

type Upload = typeof upload extends (...args: never[]) => fc.Arbitrary<infer T> ? T : never;

/** Pushes random bytes as the upload says, and compares what can be pulled with them. */
async function expectRoundTrip({ pieces, lastInPut, algorithm, hint, seed }: Upload): Promise<void> {
  const repository = freshRepository();
  const bytes = randomBytes(
    pieces.reduce((sum, { size }) => sum + size, 0),
    seed,
  );
  const digest = await digestOf(bytes, algorithm);
  const location = await startUpload(repository, hint);
  let offset = 0;
  for (const [number, { size, ranged, streamed }] of pieces.entries()) {
    const slice = bytes.slice(offset, offset + size);
    const sent = {
      body: streamed ? streamOf(slice, 50_000) : slice,
      headers: ranged && size > 0 ? contentRange(offset, size) : {},
    };
    offset += size;
    const isLast = lastInPut && number === pieces.length - 1;
    if (isLast) await expectStatus(await finish(location, digest, sent), 201);
    else await expectStatus(await patch(location, sent.body, sent.headers), 202);
  }
  if (!lastInPut || pieces.length === 0) await expectStatus(await finish(location, digest), 201);
  const pulled = await expectStatus(await send("GET", `/v2/${repository}/blobs/${digest}`), 200);
  expect(isEqual(new Uint8Array(await pulled.arrayBuffer()), bytes)).toBe(true);
}

const tiny = fc.nat(40);
const small = fc.oneof(tiny, fc.nat(70_000), fc.integer({ min: 65_530, max: 65_542 }), fc.nat(400_000));
const large = fc.oneof(small, fc.nat(3_000_000), fc.integer({ min: 6_291_450, max: 6_291_460 }), fc.nat(7_000_000));

it.each([
  ["a few bytes at a time", upload(tiny, 12), 15],
  ["small pieces", upload(small, 6), 20],
  ["pieces that pass parts", upload(large, 3), 4],
] as const)(
  "gives back what was pushed in %s, in whatever way",
  async (_name, uploads, numRuns) => {
    await fc.assert(fc.asyncProperty(uploads, expectRoundTrip), { numRuns });
  },
  60_000,
);
