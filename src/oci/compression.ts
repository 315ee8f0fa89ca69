/** How a layer or an archive is packed. */
export type Compression = "none" | "gzip" | "zstd";

const GZIP = [0x1f, 0x8b] as const;
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd] as const;

/** RFC 8878, "Skippable Frames": 0x184D2A5?, with any last digit. */
function isSkippable([first = 0, ...rest]: Uint8Array): boolean {
  return (first & 0xf0) === 0x50 && rest.slice(0, 3).join() === "42,77,24";
}

const startsWith = (bytes: Uint8Array, magic: readonly number[]) => magic.every((byte, i) => bytes[i] === byte);

/** By the first four bytes of a file. */
export function compressionOf(head: Uint8Array): Compression {
  if (startsWith(head, GZIP)) return "gzip";
  return startsWith(head, ZSTD) || isSkippable(head) ? "zstd" : "none";
}
