import { unpackTar } from "modern-tar";
import { toBytes } from "./content.ts";

const BLOCK_BYTES = 512;

/** What a header says; all of it may be wrong. */
export interface Header {
  readonly name: string;
  readonly size?: number | undefined;
  readonly type?: string | undefined;
  readonly link?: string | undefined;
  readonly prefix?: string | undefined;
  /** POSIX's, unless it is said. */
  readonly magic?: string | undefined;
  /** Instead of the one that it has. */
  readonly checksum?: number | undefined;
  /** The size in binary, as GNU tar writes it from 8 GiB on. */
  readonly binarySize?: bigint | undefined;
}

/** A header as it is asked for, made without the code under test. */
export function tarHeader({
  name,
  size = 0,
  type = "0",
  link = "",
  magic = "ustar\u000000",
  ...more
}: Header): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const write = (offset: number, text: string) => block.set(toBytes(text), offset);
  write(0, name);
  write(100, "0000644\u00000000000\u00000000000\0");
  write(124, size.toString(8).padStart(11, "0"));
  if (more.binarySize !== undefined) {
    block.fill(0, 124, 136);
    block[124] = 0x80;
    new DataView(block.buffer).setBigUint64(128, more.binarySize);
  }
  write(136, "00000000000\0        ");
  write(156, type);
  write(157, link);
  write(257, magic);
  write(345, more.prefix ?? "");
  const checksum = more.checksum ?? block.reduce((sum, byte) => sum + byte, 0);
  write(148, `${checksum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

export function join(...pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.byteLength;
  }
  return joined;
}

/** Content, and the zeros after it up to the next block. */
export function padded(content: Uint8Array | string): Uint8Array {
  const bytes = toBytes(content);
  return join(bytes, new Uint8Array((BLOCK_BYTES - (bytes.byteLength % BLOCK_BYTES)) % BLOCK_BYTES));
}

/** An entry with its content. */
export function tarEntry(header: Header, content: Uint8Array | string = ""): Uint8Array {
  return join(tarHeader({ ...header, size: header.size ?? toBytes(content).byteLength }), padded(content));
}

/** What ends an archive. */
export const TAR_END = new Uint8Array(2 * BLOCK_BYTES);

/** A file, or where a symbolic link leads. */
export type TarContent = Uint8Array | string | { readonly link: string };

/** An archive of these files, in their order. */
export function makeTar(files: Readonly<Record<string, TarContent>>): Uint8Array {
  const entries = Object.entries(files).map(([name, content]) =>
    typeof content === "object" && "link" in content
      ? tarEntry({ name, type: "2", link: content.link })
      : tarEntry({ name }, content),
  );
  return join(...entries, TAR_END);
}

/** The files of an archive by their names, read without the code under test. Fails where it is not a whole archive. */
export async function readTarFiles(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const entries = await unpackTar(bytes, { strict: true });
  const files = new Map(entries.map(({ header, data }) => [header.name, data ?? new Uint8Array(0)]));
  if (files.size !== entries.length) throw new Error("the archive has a file twice");
  return files;
}

/** Bytes, packed as the runtime packs them. */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
