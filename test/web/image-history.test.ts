import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HistoryEntry } from "../../web/image/config.ts";
import { matchHistory, readableCommand } from "../../web/image/history.ts";
import { descriptor } from "./support/descriptors.ts";

describe("a step of the history", () => {
  it.each([
    ["/bin/sh -c apt-get update", "RUN apt-get update"],
    ['/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'],
    [
      "/bin/sh -c #(nop) ADD file:5d68d27cc15a80653c93d3a0b262a28112d47a46326ff5fc2dfbf7fa3b9a0ce8 in / ",
      "ADD file:5d68d27cc15a… in /",
    ],
    ["RUN /bin/sh -c npm ci # buildkit", "RUN npm ci"],
    ["RUN |2 VERSION=1 NAME=a b /bin/sh -c echo $NAME # buildkit", "RUN echo $NAME"],
    ["|1 VERSION=1 /bin/bash -euxc make", "RUN make"],
    ["COPY . /app # buildkit", "COPY . /app"],
    ['ENTRYPOINT ["/bin/sh" "-c" "true"]', 'ENTRYPOINT ["/bin/sh" "-c" "true"]'],
    [
      "RUN /bin/sh -c apt-get update     && apt-get install -y     curl # buildkit",
      "RUN apt-get update\n    && apt-get install -y\n    curl",
    ],
    ["bazel build ...", "bazel build ..."],
    ["<script>alert(1)</script>", "<script>alert(1)</script>"],
    ["", ""],
  ])("%j reads %j", (createdBy, command) => {
    expect(readableCommand(createdBy)).toBe(command);
  });
});

const entryOf = (created_by: string, empty_layer = false): HistoryEntry => ({
  ...{ created_by, empty_layer },
  ...{ created: undefined, author: undefined, comment: undefined },
});

describe("the layers of an image", () => {
  it("belong to the steps that are not empty, in order", () => {
    const [a, b] = [descriptor("a"), descriptor("b")];
    const steps = matchHistory([entryOf("ADD x"), entryOf("ENV y", true), entryOf("COPY z")], [a, b]);
    expect(steps.map(({ command, layer, position }) => [command, layer, position])).toEqual([
      ["ADD x", a, 0],
      ["ENV y", undefined, undefined],
      ["COPY z", b, 1],
    ]);
  });

  it("are steps of their own where there is no history", () => {
    const layers = [descriptor("a"), descriptor("b")];
    expect(matchHistory([], layers).map(({ command, layer }) => [command, layer])).toEqual(
      layers.map((layer) => [undefined, layer]),
    );
  });

  it("are all there, each once and in order, whatever the history says", () => {
    const history = fc.array(fc.boolean().map((isEmpty) => entryOf("x", isEmpty)));
    const layers = fc.array(fc.constantFrom("a", "b", "c").map((letter) => descriptor(letter)));
    fc.assert(
      fc.property(history, layers, (entries, list) => {
        const steps = matchHistory(entries, list);
        expect(steps.flatMap(({ layer }) => (layer ? [layer] : []))).toEqual(list);
        expect(steps.flatMap(({ position }) => (position === undefined ? [] : [position]))).toEqual(
          list.map((_, at) => at),
        );
        expect(steps.length).toBeGreaterThanOrEqual(entries.length);
      }),
    );
  });
});
