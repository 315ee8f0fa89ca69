import { expect } from "vitest";
import { OciError } from "../../src/oci/error.ts";

/** The OciError that a pure rule throws. */
export function thrownBy(work: () => unknown): OciError {
  try {
    work();
  } catch (error) {
    if (error instanceof OciError) return error;
    throw error;
  }
  return expect.fail("nothing was thrown");
}
