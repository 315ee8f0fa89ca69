import type { Upstream } from "../policy/upstream.ts";
import { problem } from "./transport.ts";
import { UpstreamError } from "./upstream-error.ts";

/** How long a small answer may take, from its first byte to its last. */
const BODY_MS = 15_000;

/**
 * All of an answer's body, which is to be small.
 * @throws UpstreamError for more than so many bytes, for one that breaks off, and for one that takes too long.
 */
export async function readAnswer(upstream: Upstream, { body }: Response, maxBytes: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array(0);
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const timer = setTimeout(() => {
    reader.cancel().catch(() => undefined);
  }, BODY_MS);
  const endAt = Date.now() + BODY_MS;
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done && Date.now() >= endAt) throw problem(upstream, `does not end an answer within ${BODY_MS / 1000} s`);
      if (done) return new Uint8Array(await new Blob(pieces).arrayBuffer());
      pieces.push(value);
      size += value.byteLength;
      if (size > maxBytes) throw problem(upstream, `answers with more than ${maxBytes} bytes`);
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    if (cause instanceof UpstreamError) throw cause;
    throw problem(upstream, "broke an answer off", { cause });
  } finally {
    clearTimeout(timer);
  }
}
