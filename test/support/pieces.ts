import { expect } from "vitest";
import { type Algorithm, digestOf, randomBytes } from "./images.ts";
import { expectStatus, freshRepository } from "./registry.ts";
import { contentRange, expectBlob, finish, patch, startUpload, streamOf } from "./uploads.ts";

/** How a test pushes a blob in pieces. */
export interface Push {
  readonly algorithm?: Algorithm;
  readonly ranged?: boolean;
  readonly streamed?: boolean;
  /** Whether the last piece comes with the PUT. */
  readonly lastInPut?: boolean;
  readonly hint?: boolean;
}

/** Pushes bytes in pieces of these sizes, and checks each answer and the blob. */
export async function pushInPieces(sizes: readonly number[], push: Push = {}): Promise<void> {
  const { algorithm = "sha256", ranged = false, streamed = false, lastInPut = false, hint = false } = push;
  const repository = freshRepository();
  const bytes = randomBytes(sizes.reduce((sum, size) => sum + size, 0));
  const digest = await digestOf(bytes, algorithm);
  const location = await startUpload(repository, hint ? `?digest-algorithm=${algorithm}` : "");
  let offset = 0;
  for (const [number, size] of sizes.entries()) {
    const piece = bytes.slice(offset, offset + size);
    const body = streamed ? streamOf(piece) : piece;
    const headers = ranged ? contentRange(offset, size) : {};
    offset += size;
    if (lastInPut && number === sizes.length - 1) {
      await expectStatus(await finish(location, digest, { body, headers }), 201);
      await expectBlob(repository, digest, bytes);
      return;
    }
    const response = await expectStatus(await patch(location, body, headers), 202);
    expect(response.headers.get("Location")).toBe(location);
    expect(response.headers.get("Range")).toBe(`0-${Math.max(offset - 1, 0)}`);
    expect(response.headers.get("Docker-Upload-UUID")).toBe(location.split("/").at(-1));
  }
  const response = await expectStatus(await finish(location, digest), 201);
  expect(response.headers.get("Location")).toBe(`/v2/${repository}/blobs/${digest}`);
  expect(response.headers.get("Docker-Content-Digest")).toBe(digest);
  await expectBlob(repository, digest, bytes);
}

export const repeat = (count: number, size: number) => Array.from({ length: count }, () => size);
