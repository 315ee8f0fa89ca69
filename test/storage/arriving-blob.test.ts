import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { storeArriving, verifiedBytes } from "../../src/storage/arriving-blob.ts";
import { getBytes } from "../../src/storage/objects.ts";
import { digestOf, randomBytes } from "../support/images.ts";

/** A body that comes in pieces of these lengths, again and again. */
function bodyOf(bytes: Uint8Array, lengths: readonly number[]): ReadableStream {
  let at = 0;
  let turn = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (at >= bytes.byteLength) {
        controller.close();
        controller.byobRequest?.respond(0);
        return;
      }
      const piece = bytes.slice(at, at + lengths[turn++ % lengths.length]!);
      at += piece.byteLength;
      controller.enqueue(piece);
    },
  });
}

const blobOf = async (bytes: Uint8Array) => ({ digest: (await digestOf(bytes)) as Digest, size: bytes.byteLength });

describe("the bytes of a blob on its way", () => {
  it("are given as they came, however they came", async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 600_000 }), lengths, async (size, pieces) => {
        const bytes = randomBytes(size, size + 1);
        const blob = await blobOf(bytes);
        const received: Uint8Array[] = [];
        for await (const piece of verifiedBytes(bodyOf(bytes, pieces), blob)) received.push(piece.slice());
        expect(await digestOf(new Uint8Array(await new Blob(received).arrayBuffer()))).toBe(blob.digest);
      }),
      { numRuns: 20 },
    );
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ["another byte", (bytes) => bytes.with(5, bytes[5]! ^ 1), "DIGEST_INVALID"],
    ["a byte too much", (bytes) => new Uint8Array([...bytes, 1]), "SIZE_INVALID"],
    ["a byte too few", (bytes) => bytes.subarray(1), "BodyError"],
    ["none", () => new Uint8Array(0), "BodyError"],
  ])("never end where there is %s", async (_, damage, problem) => {
    const bytes = randomBytes(10_000);
    const blob = await blobOf(bytes);
    let received = 0;
    const read = async () => {
      for await (const piece of verifiedBytes(bodyOf(damage(bytes), [999]), blob)) received += piece.byteLength;
    };
    const error = await read().then(
      () => undefined,
      (thrown: unknown) => thrown as { code?: string; name: string },
    );
    expect(error?.code ?? error?.name).toBe(problem);
    expect(received).toBeLessThan(bytes.byteLength);
  });
});

describe("a blob too large for one put", () => {
  it("is stored in parts", async () => {
    const bytes = randomBytes(13_000_000);
    const blob = await blobOf(bytes);
    const created: { multipartId: string | undefined }[] = [];
    const pieces = verifiedBytes(bodyOf(bytes, [70_000]), blob);
    const key = await storeArriving(env.BUCKET, pieces, blob, (object) => created.push(object), 1_000_000);
    expect(await digestOf(await getBytes(env.BUCKET, key))).toBe(blob.digest);
    expect(created.map(({ multipartId }) => typeof multipartId)).toEqual(["string"]);
    await env.BUCKET.delete(key);
  });

  it("is not stored where it breaks off", async () => {
    const bytes = randomBytes(13_000_000);
    const blob = await blobOf(bytes);
    const pieces = verifiedBytes(bodyOf(bytes.subarray(0, 9_000_000), [70_000]), blob);
    await expect(storeArriving(env.BUCKET, pieces, blob, () => undefined, 1_000_000)).rejects.toThrow("broke off");
  });
});
