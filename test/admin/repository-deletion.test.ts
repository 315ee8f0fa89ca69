import { describe, expect, it } from "vitest";
import {
  answerOf,
  callApi,
  eventsAbout,
  expectDone,
  expectRefusal,
  setRepository,
  showRepository,
} from "../support/api.ts";
import { image, pushBlob, pushImage, pushManifest, randomBytes } from "../support/images.ts";
import { addAccount, sendAs, setVisibility } from "../support/people.ts";
import { expectError, expectStatus, freshRepository, runSchedule, send, sendAnonymously } from "../support/registry.ts";
import { expectBlob, patch, rows, startUpload, storedKeys } from "../support/uploads.ts";

describe("a deleted repository", () => {
  const TABLES = ["tags", "tag_events", "manifests", "repository_blobs", "manifest_references"];

  it("takes tags, manifests, links and uploads along, and leaves what others hold", async () => {
    await runSchedule();
    const before = await storedKeys();
    const [repository, other] = [freshRepository(), freshRepository()];
    const bytes = randomBytes(2_000);
    const shared = await pushBlob(repository, bytes);
    await pushManifest(repository, image(shared, []), { tag: "v1" });
    const large = image(shared, [], { annotations: { large: "x".repeat(1_000_000) } });
    await pushManifest(repository, large, { tag: "large" });
    await pushManifest(other, image(await pushBlob(other, bytes), []), { tag: "v1" });
    const upload = await startUpload(repository);
    await expectStatus(await patch(upload, randomBytes(100_000)), 202);
    const [{ id } = { id: 0 }] = await rows<{ id: number }>("SELECT id FROM repositories WHERE name = ?1", repository);
    await runSchedule();
    expect((await storedKeys()).length).toBe(before.length + 3);

    await expectDone(await callApi("DELETE", `repositories/${repository}`));
    for (const table of TABLES) {
      expect([table, await rows(`SELECT * FROM ${table} WHERE repository_id = ?1`, id)]).toEqual([table, []]);
    }
    expect(await rows("SELECT id FROM upload_sessions WHERE repository = ?1", repository)).toEqual([]);
    await expectError(await patch(upload, "x"), 404, "BLOB_UPLOAD_UNKNOWN");
    for (const path of ["tags/list", "manifests/v1", `blobs/${shared.digest}`]) {
      await expectError(await send("GET", `/v2/${repository}/${path}`), 404, "NAME_UNKNOWN");
    }
    await expectRefusal(await callApi("GET", `repositories/${repository}`), 404, "NAME_UNKNOWN");

    await runSchedule();
    await expectBlob(other, shared.digest, bytes);
    await expectStatus(await send("GET", `/v2/${other}/manifests/v1`), 200);
    expect((await storedKeys()).length).toBe(before.length + 1);
    await expectRefusal(await callApi("DELETE", `repositories/${repository}`), 404, "NAME_UNKNOWN");
    expect((await eventsAbout(repository)).filter(({ action }) => action === "repository.delete")).toHaveLength(1);
  });

  it("is private when it comes again, unless a pattern says otherwise", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "v1" });
    await setVisibility(repository, "public");
    await expectDone(await callApi("DELETE", `repositories/${repository}`));
    await pushImage(repository, { tag: "v1" });
    expect((await showRepository(repository)).visibility).toBe("private");
    await expectError(await sendAnonymously("GET", `/v2/${repository}/manifests/v1`), 401, "UNAUTHORIZED");
  });

  it("leaves those below it and beside it alone", async () => {
    const repository = freshRepository();
    for (const name of [repository, `${repository}/a`, `${repository}-a`]) await pushImage(name, { tag: "v1" });
    const upload = await startUpload(`${repository}/a`);
    await expectDone(await callApi("DELETE", `repositories/${repository}`));
    for (const name of [`${repository}/a`, `${repository}-a`]) {
      await expectStatus(await send("GET", `/v2/${name}/manifests/v1`), 200);
    }
    await expectStatus(await patch(upload, "x"), 202);
  });

  it("is none while its tags are immutable, and keeps all that it holds", async () => {
    const repository = freshRepository();
    const { digest } = await pushImage(repository, { tag: "v1" });
    const upload = await startUpload(repository);
    await answerOf(await setRepository(repository, { visibility: "public", immutableTags: true, exceptTags: ["dev"] }));
    await expectRefusal(
      await callApi("DELETE", `repositories/${repository}`),
      403,
      "DENIED",
      "immutable tags",
      "first",
    );
    expect(await showRepository(repository)).toMatchObject({ tags: 1, manifests: 1, visibility: "public" });
    await expectStatus(await send("GET", `/v2/${repository}/manifests/${digest}`), 200);
    await expectStatus(await patch(upload, "x"), 202);
    expect((await eventsAbout(repository)).map(({ action }) => action)).not.toContain("repository.delete");
    await answerOf(await setRepository(repository, { immutableTags: false }));
    await expectDone(await callApi("DELETE", `repositories/${repository}`));
  });

  it("is deleted where the rule for immutable tags holds none of its own", async () => {
    const repository = freshRepository();
    await pushImage(repository, { tag: "dev" });
    await answerOf(await setRepository(repository, { immutableTags: true, exceptTags: ["dev"] }));
    await expectDone(await callApi("DELETE", `repositories/${repository}`));
  });

  it("was not deleted by who may delete what is in it", async () => {
    const repository = freshRepository();
    await pushImage(repository);
    const person = await addAccount({ [repository]: ["pull", "push", "delete"] });
    await expectRefusal(await sendAs(person, "DELETE", `/api/repositories/${repository}`), 403, "DENIED", "no admin");
    expect((await showRepository(repository)).manifests).toBe(1);
  });
});
