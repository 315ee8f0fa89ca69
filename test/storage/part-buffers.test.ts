import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PartBuffer, PartBuffers } from "../../src/storage/part-buffers.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A clock that passes as fast as it is asked. Returns how long it has been waited for. */
function fastForward(onWait: (waitedMs: number) => void = () => undefined): () => number {
  let waitedMs = 0;
  vi.spyOn(scheduler, "wait").mockImplementation(async (ms) => {
    waitedMs += ms;
    onWait(waitedMs);
    await Promise.resolve();
  });
  return () => waitedMs;
}

describe("PartBuffers", () => {
  it("gives buffers up to its limit, and no more", () => {
    const buffers = new PartBuffers(100);
    expect(buffers.tryAcquire(60)?.size).toBe(60);
    expect(buffers.tryAcquire(41)).toBeUndefined();
    expect(buffers.tryAcquire(40)?.size).toBe(40);
    expect(buffers.heldBytes).toBe(100);
  });

  it("gives again what was released, and remembers its peak", () => {
    const buffers = new PartBuffers(100);
    const buffer = buffers.tryAcquire(80)!;
    buffers.release(buffer);
    expect(buffers.heldBytes).toBe(0);
    expect(buffers.tryAcquire(50)).toBeDefined();
    expect(buffers.peakBytes).toBe(80);
  });

  it("waits until there is room", async () => {
    const buffers = new PartBuffers(100);
    const first = buffers.tryAcquire(80)!;
    const waited = fastForward((waitedMs) => {
      if (waitedMs === 1_000) buffers.release(first);
    });
    const second = await buffers.acquire(80);
    expect(second.size).toBe(80);
    expect(waited()).toBe(1_000);
  });

  it("says after half a minute that the client should come again", async () => {
    const buffers = new PartBuffers(100);
    buffers.tryAcquire(80);
    const waited = fastForward();
    await expect(buffers.acquire(80)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      status: 503,
      headers: { "Retry-After": "5" },
    });
    expect(waited()).toBe(30_000);
    expect(buffers.heldBytes).toBe(80);
  });
});

describe("PartBuffer", () => {
  const SIZE = 5_000_000;

  it("holds what was set, however it came, in no more memory than it has room for", () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 2_000_000 }), { maxLength: 8 });
    fc.assert(
      fc.property(lengths, (pieces) => {
        const buffer = new PartBuffer(SIZE);
        let filled = 0;
        for (const [index, length] of pieces.entries()) {
          const piece = new Uint8Array(Math.min(length, SIZE - filled)).fill(index + 1);
          buffer.set(piece, filled);
          filled += piece.byteLength;
          expect(buffer.subarray(0, 0).buffer.byteLength).toBeLessThanOrEqual(Math.max(1024 * 1024, 2 * filled));
        }
        const bytes = buffer.subarray(0, filled);
        expect(bytes.buffer.byteLength).toBeLessThanOrEqual(SIZE);
        let position = 0;
        for (const [index, length] of pieces.entries()) {
          const end = Math.min(position + length, filled);
          expect(bytes.subarray(position, end).every((byte) => byte === index + 1)).toBe(true);
          position = end;
        }
      }),
      { numRuns: 20 },
    );
  });

  it("has no byte beyond its size", () => {
    expect(() => {
      new PartBuffer(10).set(new Uint8Array(6), 5);
    }).toThrow(RangeError);
  });
});
