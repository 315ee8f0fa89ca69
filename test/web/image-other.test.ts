import { expect, it } from "vitest";
import { parseOther } from "../../web/image/other.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

it.each([
  ["1.3", { name: "team/app", tag: "1.3" }],
  [" :1.3 ", { name: "team/app", tag: "1.3" }],
  [DIGEST, { name: "team/app", digest: DIGEST }],
  [`@${DIGEST}`, { name: "team/app", digest: DIGEST }],
  ["other/app:2", { name: "other/app", tag: "2" }],
  ["localhost:5000/other/app:2", { name: "other/app", tag: "2" }],
  [`docker://localhost:5000/other@${DIGEST}`, { name: "other", digest: DIGEST }],
  ["other:2", { name: "other", tag: "2" }],
  ["", undefined],
  ["other/app", undefined],
  ["other/app:", undefined],
])("%j means %j", (text, address) => {
  expect(parseOther(text, "team/app", "localhost:5000")).toEqual(address);
});
