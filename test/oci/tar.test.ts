import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutSegments, layoutTar, segmentSize, type TarSegment } from "../../src/oci/tar.ts";
import { parseArchivePath, parsePaxRecords, parseTarHeader } from "../../src/oci/tar-header.ts";
import { join, padded, readTarFiles, tarEntry, tarHeader } from "../support/tars.ts";
import { isEqual } from "../support/uploads.ts";

type Content = TarSegment<{ readonly size: number; readonly bytes: Uint8Array }>;

const bytesOf = (segment: Content): Uint8Array => (segment instanceof Uint8Array ? segment : segment.bytes);

const name = fc.stringMatching(/^[a-z0-9]{1,8}(\/[a-z0-9]{1,160}){0,1}$/);
const content = fc
  .tuple(fc.uint8Array({ maxLength: 1_100 }), fc.boolean())
  .map(([bytes, isElsewhere]): Content => (isElsewhere ? { size: bytes.byteLength, bytes } : bytes));
const files = fc.uniqueArray(fc.record({ name, content }), { selector: (file) => file.name, maxLength: 6 });

describe("an archive as segments", () => {
  it("is read by others as the files that it was made of", async () => {
    await fc.assert(
      fc.asyncProperty(files, async (made) => {
        const archive = join(...layoutTar(made).map(bytesOf));
        const read = await readTarFiles(archive);
        expect([...read.keys()]).toEqual(made.map((file) => file.name));
        expect(made.every((file) => isEqual(read.get(file.name)!, bytesOf(file.content)))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("has parts that are those of the whole", () => {
    fc.assert(
      fc.property(files, fc.nat(), fc.nat(), (made, first, second) => {
        const segments = layoutTar(made);
        const whole = join(...segments.map(bytesOf));
        const offset = first % whole.byteLength;
        const length = 1 + (second % (whole.byteLength - offset));
        const parts = cutSegments(segments, { offset, length });
        const cut = parts.map((part) => bytesOf(part.segment).subarray(part.offset, part.offset + part.length));
        expect(isEqual(join(...cut), whole.subarray(offset, offset + length))).toBe(true);
        expect(parts.every((part) => part.length > 0)).toBe(true);
      }),
    );
  });

  it("has a size of 8 GiB and more in binary, as it can be read back", () => {
    const size = 9 * 1024 ** 3;
    const [header, rest] = layoutTar([{ name: "big", content: { size } }]);
    expect(parseTarHeader(header as Uint8Array)).toMatchObject({ name: "big", size });
    expect(segmentSize(rest!)).toBe(size);
  });
});

describe("a header", () => {
  it.each([
    ["a long name of POSIX", { name: "name", prefix: "folder" }, { name: "folder/name" }],
    ["one of GNU, which has times there", { name: "name", prefix: "123", magic: "ustar  \0" }, { name: "name" }],
    ["one from before both", { name: "name", magic: "" }, { name: "name", type: "file" }],
    ["a file without a type", { name: "name", type: "\0" }, { type: "file" }],
    ["a size in binary", { name: "name", binarySize: 2n ** 40n }, { size: 2 ** 40 }],
    ["a link", { name: "name", type: "2", link: "../a" }, { type: "symbolic-link", linkName: "../a" }],
  ])("is understood: %s", (_what, header, expected) => {
    expect(parseTarHeader(tarHeader(header))).toMatchObject(expected);
  });

  it.each([
    ["another checksum", { name: "name", checksum: 1 }],
    ["a device", { name: "name", type: "3" }],
    ["a global header", { name: "name", type: "g" }],
    ["a sparse file", { name: "name", type: "S" }],
    ["a size beyond all measure", { name: "name", binarySize: 2n ** 63n }],
  ])("is refused: %s", (_what, header) => {
    expect(() => parseTarHeader(tarHeader(header))).toThrow(/^the archive is malformed: /);
  });
});

describe("pax records", () => {
  const encode = (text: string) => new TextEncoder().encode(text);

  it("say what matters, and may say more", () => {
    const records = "22 mtime=1700000000.5\n11 path=é\n10 size=7\n16 linkpath=a/b\n";
    expect(parsePaxRecords(encode(records))).toEqual({ path: "é", size: 7, linkpath: "a/b" });
  });

  it.each([
    "x",
    "6 a=b\nx=\n",
    "5 a=b",
    "6 a=b\nx",
    "99 a=b\n",
    "0 a=b\n",
    "6 ab=\n\n",
    "5 =b\n",
    "11 size=-1\n",
    "20 GNU.sparse.map=1\n",
  ])("are refused: %j", (text) => {
    expect(() => parsePaxRecords(encode(text))).toThrow(/^the archive is malformed: /);
  });

  it("are refused or understood, whatever they are", () => {
    const record = fc
      .tuple(fc.nat(30), fc.stringMatching(/^[ -~\n]{0,12}$/))
      .map(([length, rest]) => `${length} ${rest}`);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), record.map(encode)), (bytes) => {
        try {
          parsePaxRecords(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: "BLOB_UPLOAD_INVALID" });
        }
      }),
    );
  });
});

describe("a path", () => {
  it.each([
    ["a/b", "a/b"],
    ["./a//b/", "a/b"],
    ["a/../b", "b"],
  ])("%j is %j", (text, path) => {
    expect(parseArchivePath(text)).toBe(path);
  });

  it.each(["/a", "..", "../a", "a/../../b", "x".repeat(256)])("%j is refused", (text) => {
    expect(() => parseArchivePath(text)).toThrow(/^the archive is malformed: /);
  });

  it("never leads out of the archive", () => {
    const part = fc.constantFrom("..", ".", "", "a", "b");
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.array(fc.constantFrom("a", "b"), { maxLength: 3 }),
        (parts, from) => {
          try {
            expect(parseArchivePath(parts.join("/"), from).split("/")).not.toContain("..");
          } catch (error) {
            expect(error).toMatchObject({ code: "BLOB_UPLOAD_INVALID" });
          }
        },
      ),
    );
  });
});

it("an entry of the tests is one", async () => {
  expect(await readTarFiles(join(tarEntry({ name: "a" }, "text"), padded(""), new Uint8Array(1_024)))).toEqual(
    new Map([["a", new TextEncoder().encode("text")]]),
  );
});
