import { describe, expect, it } from "vitest";
import { answerOf, callApi, setRepository } from "../support/api.ts";
import { pushImage } from "../support/images.ts";
import { expectError, freshRepository } from "../support/registry.ts";

describe("stars and officials", () => {
  it("are said of one repository, and shown", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1" });
    const shown = async () => await answerOf<object>(await callApi("GET", `repositories/${repository}`));
    expect(await shown()).toMatchObject({ stars: 0, official: false });
    expect(await answerOf(await setRepository(repository, { stars: 12, official: true }))).toEqual({
      ...{ repository, stars: 12, official: true },
    });
    expect(await shown()).toMatchObject({ stars: 12, official: true, description: null });
    await answerOf(await setRepository(repository, { official: false }));
    expect(await shown()).toMatchObject({ stars: 12, official: false });
  });

  it.each([{ stars: -1 }, { stars: 1.5 }, { stars: "1" }, { stars: 1e10 }, { official: "yes" }])(
    "are refused as %j",
    async (settings) => {
      await expectError(await setRepository(freshRepository(), settings), 400, "REQUEST_INVALID");
    },
  );

  it("are not for patterns, nor for repositories that are not there", async () => {
    await expectError(await setRepository("team/*", { stars: 1 }), 400, "REQUEST_INVALID");
    await expectError(await setRepository(freshRepository(), { official: true }), 404, "NAME_UNKNOWN");
  });
});
