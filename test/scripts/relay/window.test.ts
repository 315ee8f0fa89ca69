import { PassThrough, Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Window } from "../../../scripts/relay/window.ts";

const CAPACITY = 64;

/** A source that gives pieces of these lengths; byte n has the value n % 251. */
function sourceOf(lengths: readonly number[]): { source: Readable; bytes: Buffer } {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const bytes = Buffer.from(Array.from({ length: total }, (_, index) => index % 251));
  let at = 0;
  const pieces = lengths.map((length) => bytes.subarray(at, (at += length)));
  return { source: Readable.from(pieces, { objectMode: false, highWaterMark: 16 }), bytes };
}

async function collect(window: Window, position: number, length: number): Promise<Buffer> {
  const views: Buffer[] = [];
  for await (const view of window.read(position, length)) views.push(Buffer.from(view));
  return Buffer.concat(views);
}

const anyLengths = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 });

describe("a window on a body", () => {
  test("gives what is held again, as often as one likes, and never other bytes", async () => {
    const anyRead = fc.record({ back: fc.nat(2 * CAPACITY), length: fc.integer({ min: 1, max: 80 }) });
    await fc.assert(
      fc.asyncProperty(anyLengths, fc.array(anyRead, { maxLength: 20 }), async (lengths, reads) => {
        const { source, bytes } = sourceOf(lengths);
        const window = new Window(source, undefined, CAPACITY);
        let at = 0;
        for (const { back, length } of reads) {
          const position = Math.max(window.start, at - back);
          const read = await collect(window, position, length);
          expect(read).toEqual(bytes.subarray(position, position + length));
          at = position + read.length;
        }
      }),
    );
  });

  test("takes no more than it holds, whether or not somebody reads", async () => {
    await fc.assert(
      fc.asyncProperty(anyLengths, fc.boolean(), async (lengths, isHeld) => {
        const { source, bytes } = sourceOf(lengths);
        const window = new Window(source, undefined, CAPACITY);
        if (isHeld) window.hold();
        for (let released = 0; released < bytes.length; released += 10) {
          await turn();
          await turn();
          expect(window.end - released).toBeLessThanOrEqual(CAPACITY);
          expect(await collect(window, released, 10)).toEqual(bytes.subarray(released, released + 10));
          window.release(released + 10);
        }
      }),
    );
  });

  test("refuses what is held no more", async () => {
    const { source } = sourceOf([50, 50, 50]);
    const window = new Window(source, undefined, CAPACITY);
    await collect(window, 0, 150);
    await expect(collect(window, 0, 1)).rejects.toThrow();
    expect(await collect(window, 150 - CAPACITY, 1)).toHaveLength(1);
  });

  test("ends a reading when another one begins", async () => {
    const source = new PassThrough();
    const window = new Window(source, undefined, CAPACITY);
    const first = collect(window, 0, 10);
    const expectation = expect(first).rejects.toThrow("another reading");
    const second = collect(window, 0, 3);
    source.write("abc");
    await expectation;
    expect((await second).toString()).toBe("abc");
  });

  test("says that the body broke off", async () => {
    const source = new PassThrough();
    const window = new Window(source, undefined, CAPACITY);
    source.write("abc");
    const read = collect(window, 0, 10);
    source.destroy();
    await expect(read).rejects.toMatchObject({ name: "BodyBroken" });
    expect(window.total).toBeUndefined();
  });
});
