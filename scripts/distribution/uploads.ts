import { Readable } from "node:stream";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { Failure } from "../local/failure.ts";
import { Refusal } from "../stowage/http.ts";
import { type Blob, hasBlob } from "./blobs.ts";
import type { BodyLimit } from "./body-limit.ts";
import { ByteReader } from "./byte-reader.ts";
import { type Call, join, type Response } from "./connection.ts";
import { RunningDigest } from "./hash.ts";
import { ImageFailure } from "./image-failure.ts";
import { Interruption, waitAfter } from "./interruption.ts";
import { pathOf, type Repository, scopeOf, titleOf } from "./repository.ts";
import { mayLead, resolveUrl } from "./url.ts";

/** A blob on its way. */
export interface Outgoing {
  readonly blob: Blob;
  /** Its bytes, from an offset on; opened anew where something broke. */
  readonly open: (offset: number) => AsyncIterable<Uint8Array>;
  /** A repository of the same registry that holds it. */
  readonly mountFrom?: RepositoryName | undefined;
  /** Told of the bytes that are sent; what has to be sent again takes it back. */
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Spec, "Pushing Blobs": mounts a blob, or sends it in one PUT, or in PATCHes of what a request may hold at most. After a
 * broken connection it goes on from where the registry says that it is. Memory: what streams hold.
 * @throws ImageFailure for content that has not its digest, of which the registry keeps nothing.
 */
export async function uploadBlob(
  repository: Repository,
  outgoing: Outgoing,
  limit: BodyLimit,
): Promise<"mounted" | "uploaded"> {
  return await new Upload(repository, outgoing, limit).run();
}

class Upload {
  readonly #repository: Repository;
  readonly #outgoing: Outgoing;
  readonly #limit: BodyLimit;
  /** Another one after each break: what read for a request that is gone may still be at it. */
  #reader: ByteReader;
  readonly #digest: RunningDigest;
  /** Of the session, if there is one. */
  #location: URL | undefined;
  /** Up to where the registry has it. */
  #offset = 0;
  /** The furthest that it came. */
  #furthest = 0;
  #hasBroken = false;
  /** The offset that the registry refused last, of those that it had stated. */
  #refusedAt: number | undefined;
  #isVerified = false;
  #contentError: unknown;

  constructor(repository: Repository, outgoing: Outgoing, limit: BodyLimit) {
    this.#repository = repository;
    this.#outgoing = outgoing;
    this.#limit = limit;
    this.#reader = new ByteReader(outgoing.open);
    this.#digest = new RunningDigest(outgoing.blob.digest);
  }

  async run(): Promise<"mounted" | "uploaded"> {
    const { patience, signal } = this.#repository.connection.manners;
    try {
      for (let failures = 0; ;) {
        const before = this.#furthest;
        try {
          if (this.#location === undefined && (await this.#start()) === "mounted") return "mounted";
          await this.#send();
          return "uploaded";
        } catch (error) {
          const problem = this.#judge(error);
          failures = this.#furthest > before ? 1 : failures + 1;
          await waitAfter(problem, failures, patience, signal);
          if (await this.#isThere()) return "uploaded";
        }
      }
    } catch (error) {
      await this.#abandon();
      throw error;
    } finally {
      void this.#reader.close().catch(() => undefined);
    }
  }

  /** Spec end-4a and end-11. */
  async #start(): Promise<"mounted" | "opened"> {
    const { mountFrom, blob } = this.#outgoing;
    const mount = mountFrom === undefined ? "" : `?mount=${blob.digest}&from=${mountFrom}`;
    const response = await this.#repository.connection.command({
      ...{
        method: "POST",
        url: pathOf(this.#repository, `blobs/uploads/${mount}`),
        headers: { "content-length": "0" },
      },
      ...{ scopes: this.#scopes(mountFrom), expected: [201, 202] },
    });
    if (response.statusCode === 201) return "mounted";
    this.#limit.learn(response.headers);
    this.#offset = 0;
    this.#hasBroken = false;
    this.#refusedAt = undefined;
    this.#locate(response, new URL(pathOf(this.#repository, "blobs/uploads/"), this.#home));
    return "opened";
  }

  async #send(): Promise<void> {
    const { size, digest } = this.#outgoing.blob;
    for (;;) {
      const location = this.#session;
      const left = size - this.#offset;
      const most = this.#limit.bytes;
      if (left === 0 || (this.#offset === 0 && left <= most)) {
        const url = new URL(location);
        url.searchParams.set("digest", digest);
        const response = await this.#stream("PUT", url, left, [200, 201, 202, 204]);
        const stated = join(response.headers["docker-content-digest"]);
        if (stated !== undefined && stated !== digest) {
          throw new Failure(`${titleOf(this.#repository)} stored ${digest} as ${stated}: it is no use as a registry`);
        }
        return;
      }
      const length = Math.min(left, most);
      const response = await this.#stream("PATCH", location, length, [202, 201, 204]);
      this.#offset += length;
      this.#furthest = Math.max(this.#furthest, this.#offset);
      this.#limit.succeed();
      this.#locate(response, location);
    }
  }

  /** Sends the next bytes, as many as it says, in one request. */
  async #stream(method: "PATCH" | "PUT", url: URL, length: number, expected: readonly number[]): Promise<Response> {
    const range = `${this.#offset}-${this.#offset + length - 1}`;
    const headers = {
      "content-type": "application/octet-stream",
      "content-length": String(length),
      ...(method === "PATCH" && { "content-range": range }),
    };
    const content = () => Readable.from(this.#content(this.#offset, length), { objectMode: false });
    const body = length === 0 ? {} : { stream: content() };
    const { connection } = this.#repository;
    const response = await connection.attempt({ method, url, headers, ...body, scopes: this.#scopes(), expected });
    await response.body.dump().catch((error: unknown) => {
      throw connection.explainBreak(error);
    });
    return response;
  }

  /** The last piece leaves only when all of them have the digest: what is damaged never becomes a blob. */
  async *#content(start: number, length: number): AsyncGenerator<Uint8Array> {
    const { blob, onProgress } = this.#outgoing;
    const reader = this.#reader;
    let position = start;
    try {
      for await (const chunk of reader.read(start, length)) {
        this.#digest.update(chunk, position);
        position += chunk.length;
        if (position === blob.size && this.#digest.position === position) this.#verify();
        onProgress?.(position);
        yield chunk;
      }
      if (position < start + length) throw new ImageFailure(`${blob.digest} ends at ${position} of ${blob.size} bytes`);
    } catch (error) {
      if (reader === this.#reader) this.#contentError = error;
      throw error;
    }
  }

  #verify(): void {
    const { digest } = this.#outgoing.blob;
    if (this.#isVerified) return;
    const found = this.#digest.finish();
    if (found !== digest) throw new ImageFailure(`the content of ${digest} is damaged: its digest is ${found}`);
    this.#isVerified = true;
  }

  /** What an error means for the upload as a whole: what is returned as an Interruption is tried again. */
  #judge(error: unknown): unknown {
    this.#repository.connection.manners.signal?.throwIfAborted();
    // What the network makes of it when the content ends early says nothing.
    if (this.#contentError !== undefined) return this.#contentError;
    if (!(error instanceof Refusal)) return error;
    const { status, message } = error;
    if (status === 413 && this.#limit.shrink(this.#outgoing.blob.size)) return new Interruption(message, 0);
    // The session is gone, or was never there for the machine that answers now.
    if (status === 404 && this.#location !== undefined) return new Interruption(message);
    if (status === 416 && this.#hasBroken) {
      this.#refusedAt = this.#offset;
      return new Interruption(message);
    }
    const isRefusal = [400, 405, 416, 501].includes(status);
    if (isRefusal && this.#furthest === 0 && this.#limit.refuseChunks(this.#outgoing.blob.size)) {
      return new Interruption(message, 0);
    }
    return error;
  }

  /** Spec end-13: finds out where the upload stands. True when it has ended, and nobody heard of it. */
  async #isThere(): Promise<boolean> {
    this.#hasBroken = true;
    void this.#reader.close().catch(() => undefined);
    this.#reader = new ByteReader(this.#outgoing.open);
    const { connection } = this.#repository;
    try {
      if (this.#location !== undefined) {
        const expected = [204, 200, 202];
        const call: Call = { method: "GET", url: this.#location, scopes: this.#scopes(), expected };
        const response = await connection.command(call);
        const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(join(response.headers.range) ?? "") ?? [];
        const received = last === "0" ? this.#oneByteOrNone() : last === undefined ? 0 : Number(last) + 1;
        if (received > this.#outgoing.blob.size) throw new Interruption("the registry has more than there is");
        this.#offset = received;
        this.#furthest = Math.max(this.#furthest, received);
        this.#outgoing.onProgress?.(received);
        this.#locate(response, this.#location);
        return false;
      }
    } catch (error) {
      if (!(error instanceof Refusal) && !(error instanceof Interruption)) throw error;
    }
    await this.#abandon();
    this.#location = undefined;
    const { blob, onProgress } = this.#outgoing;
    const isThere = await hasBlob(this.#repository, blob.digest);
    onProgress?.(isThere ? blob.size : 0);
    return isThere;
  }

  /** `0-0` is said of one byte and of none: none is taken for true, until the registry refuses what starts there. */
  #oneByteOrNone(): number {
    return this.#refusedAt === 0 ? 1 : 0;
  }

  /** Spec end-14. What cannot be told so ends by itself. */
  async #abandon(): Promise<void> {
    if (this.#location === undefined) return;
    const call: Call = { method: "DELETE", url: this.#location, scopes: this.#scopes(), expected: [204, 202, 200] };
    const { connection } = this.#repository;
    await connection.attempt(call).then(
      (response) => response.body.dump(),
      () => undefined,
    );
  }

  get #home(): URL {
    return this.#repository.connection.endpoint.url;
  }

  get #session(): URL {
    if (this.#location !== undefined) return this.#location;
    throw new Error("an upload is sent before it is started");
  }

  #locate({ headers }: Response, base: URL): void {
    const location = resolveUrl(join(headers.location), base) ?? this.#location;
    if (location === undefined)
      throw new Failure(`${titleOf(this.#repository)} opens an upload and does not say where`);
    if (!mayLead(base, location)) {
      const target = `${location.protocol}//${location.host}`;
      const advice = "ask who runs it whether its proxy says X-Forwarded-Proto: https";
      throw new Failure(`${titleOf(this.#repository)} sends an upload to ${target}, which is not safe: ${advice}`);
    }
    this.#location = location;
  }

  #scopes(mountFrom?: RepositoryName): string[] {
    const push = scopeOf(this.#repository, "pull,push");
    return mountFrom === undefined ? [push] : [push, scopeOf({ name: mountFrom }, "pull")];
  }
}
