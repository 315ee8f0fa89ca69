import { join } from "./tars.ts";

/**
 * A `docker save` archive of one image, `packed:1`, as the zstd library packs it at level 19, with a checksum: its layer is a tar of 340 KB, which
 * takes blocks that refer to blocks before them.
 */
export const ZSTD_ARCHIVE = {
  config: "sha256:f600d285af00998d8b0a9d0c2d29620f7bffd9479984cf0f62bc19a968bbb48f",
  layer: "sha256:e1d4a2ff330fdb0e46ec600b412a6b8f198407e0511751670e0eb5ff54b14399",
  bytes: Uint8Array.fromBase64(
    [
      "KLUv/aQARAUAdAcAwownGWDXA6N8afse3SogPwgi086JEJpukTC1LCRAdP/Z99Tz6UbP0q61ZUuP7svuOKeM2GZhiNy2KfA4Jo0MJf4Jxtu7qJ",
      "EoYiTai6bGEd9gqpWRMt218Uq9Ged7zn9pqRMdqYS0jwUT5y7/17GwZ9arLEPtM0Vh7JpuZFEwgLQ6koUIdHzlxvN9Gmyh5rDN1uX6uVm7KKRs",
      "Smu7ibIgoQkdIOBkKIMkB+H3P1kuiABqVseqzyE+YDs2+ydCtkqQgQAgcgCZiDMJ6JSheh5gd6BZQaGAFtBDYOacsrkBBZDEOxhOIBDKBQYG4O",
      "oEjFQAAAABAP3/5/e5BgJ9FQDGolAdUE/SBqNzjJ0etA1XR+gboowrN23a7JFc21Vj6yxIAD8AQQBmtm3btm3btp2JePeb2VUtUZnKRLz7zeyq",
      "lqhMMxHvfjO7qiVCylAiJREpeEi5I+WGFDNSXEipIqWEFAoYpAx17gYg4WCgeARGnlYW6Z6GvnqNPFRZpHsOzs3HxlNZpJub2VUtUSYi3v1mdl",
      "VLhHh3d7+ZXdUS3f3///////+/mZn9ZnZVSxRPQ1+9Rh6sLNLN09BXr5HnKot08zT01WvkeWWRbv409NVr5LHKIt3Y09BXr5HHlUW68dPQV6+R",
      "pyqLdFNPQ1+9AYwLRiLhqGgQJIWRkECCwwGhEbHQMHhEOAqSkiAkAslCgwLEYyCxOLCHPkQx4VBogGg8tG3btm3btm3btq0s0g09DX31GpkSr2",
      "noq9fIU6+RJyuLdJMBge2ocdCjSaGwrAExn6SgkrYD4sEURBaRFJSUU/5fhbQbbyIaKCLSXzsdnSpZp/8V9k5V/AhCigwNJdAtB3iqChR4qjIs",
      "BnrYvp2DnZWAUig5W5TKwmRsUSoLk7FFqSxMxhalsjAZW5TKwmRsUSoLk7FFqSxMxhalgtXQ7zTnvQC2T/AmteC/e3BmpYtE11Kzq9BfXrsVk1",
      "kLJKLneoJmn2g4P5gvvobHQayP9oonXaBgHcz48qVjpHkg+H0oKJOHdwfBbC9gQT3OogwxBuKFp+EwYJicjIRsA7OYcKRaEiafNeV8oSbwQYx8",
      "SUyKIeEJPArfp+Bpy0nYeXFnjCReXc10SGGVO9Vt2yHXyC6HOaX3yM7dZsjhbPqK3tnEiGocHDmcWf2MvXsUCXh2uJVYtVjLbnqWAq1gNJwGY1",
      "vJ+FTUFLym0xs0KNFDBg2S6BBnaKfyzs4whiaJ3aQHVApn64AZe0k096G02jVd4vhC",
    ].join(""),
  ),
};

/** A frame without its content's size: a window of 2 to the power of `exponent`, then blocks. */
export function zstdFrame(exponent: number, ...blocks: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  return join(
    Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, (exponent - 10) << 3]),
    ...blocks.map((b) => Uint8Array.from(b)),
  );
}

/** A block of bytes as they are. */
export function zstdRawBlock(bytes: Uint8Array, isLast: boolean): Uint8Array {
  const header = (bytes.byteLength << 3) | Number(isLast);
  return join(Uint8Array.from([header & 255, (header >> 8) & 255, header >> 16]), bytes);
}
