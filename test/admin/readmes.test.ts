import { describe, expect, it } from "vitest";
import {
  answerOf,
  callApi,
  eventsAbout,
  expectInvalid,
  expectRefusal,
  setRepository,
  showRepository,
} from "../support/api.ts";
import { index, pushBlob, pushImage, pushManifest } from "../support/images.ts";
import { expectError, expectStatus, freshRepository, send } from "../support/registry.ts";
import { rows } from "../support/uploads.ts";

interface Readme {
  readonly readme: string | null;
  readonly description: string | null;
  readonly source: string | null;
  readonly annotations: Readonly<Record<string, string>> | null;
}

const PREFIX = "org.opencontainers.image.";

const show = async (repository: string) =>
  await answerOf<Readme>(await callApi("GET", `readme?repository=${repository}`));
const put = async (repository: string, readme: unknown) => await callApi("PUT", "readme", { repository, readme });

const annotated = (annotations: object) => ({ more: { annotations } });

const NOTHING: Readme = { readme: null, description: null, source: null, annotations: null };

/** Says when a tag moved. */
const moveAt = async (repository: string, tag: string, at: number) =>
  await rows(
    "UPDATE tags SET updated_at = ?3 WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND name = ?2",
    ...[repository, tag, at],
  );

describe("a readme", () => {
  it("is set, shown as it is, set anew, and taken away", async () => {
    const repository = freshRepository();
    await pushBlob(repository, "x");
    expect(await show(repository)).toEqual(NOTHING);
    for (const readme of ["# Title\r\n\n`code` é 🚢\u0000<script>", "again"]) {
      expect(await answerOf(await put(repository, readme))).toEqual({ repository, hasReadme: true });
      expect(await show(repository)).toEqual({ ...NOTHING, readme, source: "uploaded" });
    }
    expect(await showRepository(repository)).toMatchObject({ hasReadme: true });
    expect(await answerOf(await put(repository, ""))).toEqual({ repository, hasReadme: false });
    expect(await answerOf(await put(repository, ""))).toEqual({ repository, hasReadme: false });
    expect(await show(repository)).toEqual(NOTHING);
    expect(await showRepository(repository)).toMatchObject({ hasReadme: false });
    const events = await eventsAbout(repository, "&action=repository.set");
    expect(events.map(({ detail }) => detail)).toEqual([30, 5, 0, 0].map((readmeLength) => ({ readmeLength })));
  });

  it("has 64 KiB at most, counted in bytes", async () => {
    const repository = freshRepository();
    await pushBlob(repository, "x");
    const largest = "é".repeat(32 * 1024);
    await answerOf(await put(repository, largest));
    expect((await show(repository)).readme).toBe(largest);
    await expectInvalid(await put(repository, `${largest}x`), "readme");
    await expectInvalid(await put(repository, 5), "readme");
    expect((await show(repository)).readme).toBe(largest);
  });

  it("goes with its repository, and does not come back with it", async () => {
    const repository = freshRepository();
    await pushBlob(repository, "x");
    await answerOf(await put(repository, "x"));
    await answerOf(await setRepository(repository, { description: "x" }));
    await expectStatus(await callApi("DELETE", `repositories/${repository}`), 204);
    await pushBlob(repository, "x");
    expect(await show(repository)).toEqual(NOTHING);
  });

  it("is of a repository that is there", async () => {
    const repository = freshRepository();
    await expectError(await put(repository, "x"), 404, "NAME_UNKNOWN");
    await expectError(await callApi("GET", `readme?repository=${repository}`), 404, "NAME_UNKNOWN");
    expect(await eventsAbout(repository)).toEqual([]);
    await expectInvalid(await put("a/*", "x"), "repository");
  });
});

describe("annotations", () => {
  it("are shown of the tag that moved last, without what all of them begin with", async () => {
    const repository = freshRepository();
    const [old, now] = [
      { [`${PREFIX}title`]: "Old", [`${PREFIX}description`]: "as it was" },
      { [`${PREFIX}title`]: "New", [`${PREFIX}licenses`]: "Apache-2.0", [`${PREFIX}base.name`]: "x", other: "y" },
    ];
    await pushImage(repository, { tag: "v1", ...annotated(old) });
    await pushImage(repository, { tag: "v2", ...annotated(now) });
    await moveAt(repository, "v1", 1_000);
    const annotations = { title: "New", licenses: "Apache-2.0", "base.name": "x" };
    expect(await show(repository)).toEqual({ ...NOTHING, source: "annotations", annotations });
    await moveAt(repository, "v2", 999);
    expect(await show(repository)).toMatchObject({ description: "as it was", annotations: { title: "Old" } });
    await answerOf(await setRepository(repository, { description: "as we say" }));
    await answerOf(await put(repository, "# x"));
    expect(await show(repository)).toMatchObject({
      source: "uploaded",
      description: "as we say",
      annotations: { title: "Old" },
    });
  });

  it("are shown of an index, and never of a signature", async () => {
    const repository = freshRepository();
    const child = await pushImage(repository);
    await pushManifest(repository, index([child], { annotations: { [`${PREFIX}title`]: "All" } }), { tag: "all" });
    const tag = `sha256-${child.digest.slice("sha256:".length)}.sig`;
    await pushImage(repository, { tag, ...annotated({ [`${PREFIX}title`]: "Signature" }) });
    await moveAt(repository, "all", 1_000);
    expect((await show(repository)).annotations).toEqual({ title: "All" });
  });

  it("are none where a manifest has none of these, or is too big for a row", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1", ...annotated({ title: "x", "org.opencontainers.imagetitle": "x" }) });
    expect(await show(repository)).toEqual(NOTHING);
    const large = { [`${PREFIX}title`]: "Large", large: "x".repeat(1_000_000) };
    await pushImage(repository, { tag: "v1", ...annotated(large) });
    expect(await show(repository)).toEqual(NOTHING);
  });

  it("are bounded, each and together", async () => {
    const repository = freshRepository();
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`${PREFIX}${n}`, "x".repeat(3_000)]));
    await pushImage(repository, { tag: "v1", ...annotated(many) });
    const { annotations } = await show(repository);
    expect(Object.values(annotations!).map(({ length }) => length)).toEqual(Array(50).fill(2_000));
  });
});

describe("a description", () => {
  it("is set, shown, and taken away, with other settings or alone", async () => {
    const repository = freshRepository();
    await pushBlob(repository, "x");
    const describe = async (description: string, more = {}) =>
      await answerOf(await setRepository(repository, { description, ...more }));
    const longest = "é".repeat(300);
    expect(await describe(longest)).toEqual({ repository, description: longest });
    expect(await showRepository(repository)).toMatchObject({ description: longest, visibility: "private" });
    expect(await describe("public now", { visibility: "public" })).toMatchObject({ visibility: "public" });
    expect(await showRepository(repository)).toMatchObject({ description: "public now", visibility: "public" });
    await answerOf(await setRepository(repository, { visibility: "private" }));
    expect(await showRepository(repository)).toMatchObject({ description: "public now" });
    await describe("");
    expect(await showRepository(repository)).toMatchObject({ description: null });
    const [first] = await eventsAbout(repository, "&action=repository.set");
    expect(first!.detail).toEqual({ description: longest });
  });

  it("is of one repository that is there: else nothing changes", async () => {
    const repository = freshRepository();
    const both = { description: "x", visibility: "public" };
    await expectRefusal(await setRepository(repository, both), 404, "NAME_UNKNOWN");
    await expectRefusal(await setRepository(`${repository}/*`, both), 400, "REQUEST_INVALID", "a pattern none");
    expect(await eventsAbout(repository)).toEqual([]);
    await pushBlob(repository, "x");
    await expectInvalid(await setRepository(repository, { description: "x".repeat(301) }), "description");
    await expectInvalid(await setRepository(repository, { description: null }), "description");
    expect(await showRepository(repository)).toMatchObject({ description: null, visibility: "private" });
    await expectStatus(await send("GET", `/v2/${repository}/tags/list`), 200);
  });
});
