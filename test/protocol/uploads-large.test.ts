import { it } from "vitest";
import { type Push, pushInPieces, repeat } from "../support/pieces.ts";

const MB = 1_000_000;
const PART = 6 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

it.each<[string, number[], Push]>([
  ["one PATCH of unknown length and several parts", [2 * PART + 5], { streamed: true }],
  ["one PATCH of exactly a part", [PART], { streamed: true }],
  ["all in the PUT, of unknown length and more than a part", [PART + 1], { streamed: true, lastInPut: true }],
  ["a PUT after one large PATCH", [PART + 1, 7], { lastInPut: true }],
  ["PATCHes after one that went to the bucket in one put", [PART + 9, 5, 70_000], {}],
  ["PATCHes that cross parts", [5 * MB, 7 * MB, 1 * MB], {}],
  ["PATCHes that cross parts, with Content-Range", [5 * MB, 2 * MB, 70_000], { ranged: true }],
  ["equal chunks that divide into parts", repeat(2, 5 * MB + 500_000), { ranged: true, lastInPut: true }],
  ["small pieces before, between and after parts", [3, 70_000, PART, 4, 90_000, 5], { streamed: true }],
  ["pieces in the bucket that fill a part", [...repeat(5, 1.2 * MB), 2 * MB], { ranged: true }],
  ["a PATCH of parts with Content-Range, of unknown length", [PART + 1, 3], { ranged: true, streamed: true }],
  ["a blob by sha512 without a hint", [PART + 1, 100], { algorithm: "sha512", streamed: true }],
])(
  "keeps %s",
  async (_name, sizes, push) => {
    await pushInPieces(sizes, push);
  },
  TIMEOUT_MS,
);
