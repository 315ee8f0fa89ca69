import pLimit from "p-limit";
import type { Tag } from "../../src/oci/reference.ts";
import { ImageFailure } from "../distribution/image-failure.ts";
import { reasonOf } from "../local/failure.ts";
import type { Transfer } from "./transfer.ts";

/** One image to transfer. */
export interface Item {
  readonly transfer: Transfer;
  /** A tag or digest of the source. */
  readonly reference: string;
  readonly tags: readonly Tag[];
  /** As people write them. */
  readonly source: string;
  readonly destination: string;
}

/** What became of one. */
export type Result =
  | {
      readonly source: string;
      readonly destination: string;
      readonly status: "copied" | "present";
      readonly digest: string;
    }
  | {
      readonly source: string;
      readonly destination: string;
      readonly status: "failed";
      readonly message: string;
    };

/**
 * Transfers images, some at a time, in their order. What is wrong with one image does not keep the others; anything else ends
 * them all, and is thrown.
 */
export async function transferAll(items: readonly Item[], atOnce: number): Promise<Result[]> {
  const limit = pLimit(atOnce);
  const fatal: unknown[] = [];
  const results = await limit.map(items, async (item): Promise<Result | undefined> => {
    const { transfer, reference, tags, source, destination } = item;
    if (fatal.length > 0) return undefined;
    try {
      const { digest, isNew } = await transfer.copy(reference, tags);
      return { source, destination, status: isNew ? "copied" : "present", digest };
    } catch (error) {
      if (error instanceof ImageFailure) return { source, destination, status: "failed", message: reasonOf(error) };
      fatal.push(error);
      return undefined;
    }
  });
  if (fatal.length > 0) throw fatal[0];
  return results.filter((result) => result !== undefined);
}
