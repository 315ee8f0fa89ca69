import type { Digest } from "../../src/oci/digest.ts";
import { Refusal } from "../stowage/http.ts";
import { join, type Response } from "./connection.ts";
import { ImageFailure } from "./image-failure.ts";
import { Interruption, waitAfter } from "./interruption.ts";
import { pathOf, type Repository, scopeOf, titleOf } from "./repository.ts";

/** Content by its digest. */
export interface Blob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** Spec end-2, HEAD: whether the repository holds it. */
export async function hasBlob(repository: Repository, digest: Digest): Promise<boolean> {
  const response = await repository.connection.command({
    ...{ method: "HEAD", url: pathOf(repository, `blobs/${digest}`) },
    ...{ scopes: [scopeOf(repository, "pull")], expected: [200, 404] },
  });
  return response.statusCode === 200;
}

/**
 * Spec end-2: a blob's bytes from an offset on, as a stream. What breaks off goes on from where it was. The digest is for
 * who reads them all to verify.
 * @throws ImageFailure where there are none, or more or fewer than the size says.
 */
export async function* readBlob(repository: Repository, blob: Blob, offset: number): AsyncGenerator<Uint8Array> {
  const { connection } = repository;
  const { patience, signal } = connection.manners;
  let position = offset;
  let failures = 0;
  while (position < blob.size) {
    try {
      for await (const chunk of await openBlob(repository, blob, position)) {
        position += chunk.length;
        if (position > blob.size) throw damaged(repository, blob, `it has more than ${blob.size} bytes`);
        failures = 0;
        yield chunk;
      }
      if (position < blob.size) {
        throw new Interruption(`${titleOf(repository)} broke ${blob.digest} off at ${position} of ${blob.size} bytes`);
      }
    } catch (error) {
      failures += 1;
      await waitAfter(connection.explainBreak(error), failures, patience, signal);
    }
  }
}

async function openBlob(repository: Repository, blob: Blob, position: number): Promise<AsyncIterable<Uint8Array>> {
  const response = await repository.connection
    .attempt({
      ...{ method: "GET", url: pathOf(repository, `blobs/${blob.digest}`), scopes: [scopeOf(repository, "pull")] },
      headers: position === 0 ? {} : { range: `bytes=${position}-` },
      expected: [200, 206],
    })
    .catch((error: unknown) => {
      if (error instanceof Refusal && error.status === 404) throw damaged(repository, blob, "it is not there");
      throw error;
    });
  const start = response.statusCode === 206 ? rangeStart(response) : 0;
  const body = response.body as AsyncIterable<Buffer>;
  if (start === position) return body;
  if (start !== undefined && start < position) return skip(body, position - start);
  await response.body.dump();
  throw damaged(repository, blob, "the registry sends another part of it than was asked for");
}

function rangeStart({ headers }: Response): number | undefined {
  const [, start] = /^bytes (\d{1,15})-/.exec(join(headers["content-range"]) ?? "") ?? [];
  return start === undefined ? undefined : Number(start);
}

/** Registries need not know ranges (RFC 9110, section 14.2): what comes is the whole. */
async function* skip(body: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of body) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

function damaged(repository: Repository, { digest }: Blob, reason: string): ImageFailure {
  return new ImageFailure(`${titleOf(repository)} does not give the content of ${digest}: ${reason}`);
}
