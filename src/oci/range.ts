/** A stretch of bytes: the first one and how many. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What a Range header asks of `size` bytes. `whole` also answers what RFC 9110 lets a server ignore. */
export type RangeRequest =
  ({ readonly kind: "part" } & ByteRange) | { readonly kind: "whole" } | { readonly kind: "unsatisfiable" };

/**
 * RFC 9110, section 14.2. Several ranges in one header are answered by the whole, which the RFC allows and every client
 * that asks so understands; a unit other than bytes or a malformed header is ignored, as it says. A range whose end lies
 * before its start is malformed by the RFC; 416 tells the client more than 5 GB that it did not ask for.
 */
export function parseRange(header: string | null, size: number): RangeRequest {
  const match = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "");
  if (!match) return { kind: "whole" };
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return { kind: "whole" };
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length > 0 ? { kind: "part", offset: size - length, length } : { kind: "unsatisfiable" };
  }
  const offset = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (offset >= size || end < offset) return { kind: "unsatisfiable" };
  return { kind: "part", offset, length: end - offset + 1 };
}

/**
 * The Content-Range of an upload's chunk: `<start>-<end>`, both inclusive (spec, "Pushing a blob in chunks"). RFC 9110's
 * `bytes <start>-<end>/<size>` is understood too. Undefined for anything else.
 */
export function parseUploadRange(header: string): ByteRange | undefined {
  const match = /^(?:bytes[ =])?\s*(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim());
  if (!match) return undefined;
  const offset = Number(match[1]);
  const end = Number(match[2]);
  return end < offset ? undefined : { offset, length: end - offset + 1 };
}

/** The `Range` of an upload's answers: `0-<last byte>`, and `0-0` before the first, since the form knows no empty range. */
export function formatUploadRange(received: number): string {
  return `0-${Math.max(received - 1, 0)}`;
}
