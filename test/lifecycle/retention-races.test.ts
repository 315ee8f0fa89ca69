import { afterEach, describe, expect, it } from "vitest";
import { callApi, eventsAbout, setRepository } from "../support/api.ts";
import { WatchedRegistry } from "../support/counted-registry.ts";
import { image, pushBlob, pushImage, pushManifest } from "../support/images.ts";
import { freshRepository, send } from "../support/registry.ts";
import {
  ageTag,
  endRules,
  historyOf,
  repositoryWith,
  setPreviewedRule,
  setRule,
  tagsIn,
  tagsOf,
} from "../support/retention.ts";
import type { BindingCall } from "../support/watched-bindings.ts";

afterEach(endRules);

/** Lets something happen right before the transaction that removes. */
function interrupted(happen: () => Promise<unknown>): WatchedRegistry {
  return new WatchedRegistry(async <T>(call: BindingCall, proceed: () => Promise<T>): Promise<T> => {
    const isRemoval = call.binding === "DB" && call.statements.some(({ sql }) => sql.startsWith("DELETE FROM tags"));
    if (isRemoval) await happen();
    return await proceed();
  });
}

async function runInterrupted(name: string, happen: () => Promise<unknown>): Promise<string[]> {
  const body = { bytes: new TextEncoder().encode(JSON.stringify({ name })) };
  const answer = await interrupted(happen).send("POST", "/api/retention/run", { body });
  expect(answer.status).toBe(200);
  return tagsOf(JSON.parse(new TextDecoder().decode(answer.bytes)) as Parameters<typeof tagsOf>[0], false);
}

describe("between decision and removal", () => {
  it("a tag that moves stays, and the others go", async () => {
    const repository = await repositoryWith("v1", "v2", "v3");
    const name = await setPreviewedRule({ repository, keep: { newest: 1 } });
    const removed = await runInterrupted(name, async () => await pushImage(repository, { tag: "v1" }));
    expect(removed).toEqual(["v2"]);
    expect(await tagsIn(repository)).toEqual(["v1", "v3"]);
    expect((await historyOf(repository, "v1")).map(({ actor }) => actor)).not.toContain(`retention:${name}`);
    const [event] = (await eventsAbout(repository)).filter(({ action }) => action === "retention.run");
    expect(event!.detail).toMatchObject({ removed: 1, tags: [{ tag: "v2" }] });
  });

  it("a tag that is pushed again as it is stays", async () => {
    const repository = freshRepository();
    const config = await pushBlob(repository, crypto.randomUUID());
    await pushManifest(repository, image(config), { tag: "v1" });
    await ageTag(repository, "v1", 10);
    await pushImage(repository, { tag: "v2" });
    const name = await setPreviewedRule({ repository, keep: { newest: 1 } });
    const again = async () => await pushManifest(repository, image(config), { tag: "v1" });
    expect(await runInterrupted(name, again)).toEqual([]);
    expect(await tagsIn(repository)).toEqual(["v1", "v2"]);
  });

  it("tags that become immutable stay, and abort nothing", async () => {
    const repository = await repositoryWith("v1", "x1", "v2");
    const name = await setPreviewedRule({ repository, keep: { newest: 1 } });
    const freeze = async () => await setRepository(repository, { immutableTags: true, exceptTags: ["x*"] });
    expect(await runInterrupted(name, freeze)).toEqual(["x1"]);
    expect(await tagsIn(repository)).toEqual(["v1", "v2"]);
  });

  it("the last tag that was to stay goes: then the others do not", async () => {
    const repository = await repositoryWith("v1", "v2");
    const name = await setPreviewedRule({ repository, keep: { newest: 1 } });
    const remove = async () => await send("DELETE", `/v2/${repository}/manifests/v2`);
    expect(await runInterrupted(name, remove)).toEqual([]);
    expect(await tagsIn(repository)).toEqual(["v1"]);
    expect((await eventsAbout(repository)).map(({ action }) => action)).not.toContain("retention.run");
  });

  it.each<[string, (name: string, repository: string) => Promise<unknown>]>([
    ["removed", async (name) => await callApi("DELETE", `retention/${name}`)],
    ["replaced", async (name, repository) => await setRule({ repository, keep: { newest: 2 } }, name)],
    [
      "replaced by one that removes as well",
      async (name, repository) => await setPreviewedRule({ repository, keep: { newest: 2 } }, name),
    ],
    [
      "replaced by one for other repositories",
      async (name) => await setPreviewedRule({ repository: freshRepository(), keep: { newest: 1 } }, name),
    ],
    ["joined by one that protects", async (_name, repository) => await setRule({ repository, keep: { newest: 2 } })],
  ])("the rule is %s: then nothing goes", async (_what, change) => {
    const repository = await repositoryWith("v1", "v2");
    const name = await setPreviewedRule({ repository, keep: { newest: 1 } });
    expect(await runInterrupted(name, async () => await change(name, repository))).toEqual([]);
    expect(await tagsIn(repository)).toEqual(["v1", "v2"]);
  });

  it("rules for other repositories change: then all goes that was to go", async () => {
    const repository = await repositoryWith("v1", "v2");
    const name = await setPreviewedRule({ repository, keep: { newest: 1 } });
    const change = async () => await setRule({ repository: freshRepository(), keep: { newest: 2 } });
    expect(await runInterrupted(name, change)).toEqual(["v1"]);
  });
});
