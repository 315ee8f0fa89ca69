import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeFolder } from "../support/server.ts";
import { COLLECTION, DIGEST, EVENT, OUTCOME, PREVIEW, REMOVAL, RULE, TAG } from "./support/lifecycle-cases.ts";
import { runAt } from "./support/run.ts";
import { refuse, startStandIn, type StandIn, type StandInAnswer } from "./support/stand-in.ts";

/** What a terminal shows in the end, without colours. */
const ON_TERMINAL = { terminal: "all", env: { NO_COLOR: "1" } } as const;
const CLEAR = "\r\u001b[K";

/** One that gives these answers to a request, one after the other. */
async function startAnswering(request: string, answers: readonly StandInAnswer[]): Promise<StandIn> {
  const left = [...answers];
  return await startStandIn({ [request]: () => left.shift() ?? refuse(500, "asked too often") });
}

describe("gc", () => {
  const POST = "POST /api/collection";

  test("--dry-run shows what is due and what waits, and why, until when", async () => {
    const registry = await startStandIn({ "GET /api/collection": { json: COLLECTION } });
    const { stdout, stderr } = await runAt(registry, ["gc", "--dry-run"], ON_TERMINAL);
    const what = `team/web@${DIGEST}`;
    expect(stdout.split("\n")).toEqual([
      "Due        1, 2 KiB",
      "Waiting    4",
      "Last run   3 days ago",
      "It freed   3 MiB",
      "",
      "Due now",
      `Kind       What${" ".repeat(76)}   Why        Due          Frees`,
      `manifest   ${what}   untagged   2 days ago   2 KiB`,
      "",
      "Waiting",
      `Kind       What${" ".repeat(76)}   Why            Due             Frees`,
      `manifest   ${what}   deleted        in 2 days       2 KiB`,
      `blob       ${what}   unreferenced   not found yet   0 bytes`,
      `manifest   ${what}   untagged       stays           2 KiB`,
      `blob       ${DIGEST}            unlinked       2 days ago      2 KiB`,
      "",
      "Missing from the bucket",
      `Digest${" ".repeat(65)}   Object     Found`,
      `${DIGEST}   blobs/ab   3 days ago`,
      "",
    ]);
    expect(stderr).toBe("");
  });

  test("--dry-run says where it does not show everything", async () => {
    const registry = await startStandIn({ "GET /api/collection": { json: { ...COLLECTION, isComplete: false } } });
    const { stdout } = await runAt(registry, ["gc", "--dry-run"], ON_TERMINAL);
    expect(stdout).toContain("Not shown   there is more");
  });

  test("asks until it is complete, tells how far it is, and sums up", async () => {
    const more = { json: { outcome: OUTCOME, isComplete: false } };
    const last = { json: { outcome: { ...OUTCOME, bytes: 1024 ** 2 }, isComplete: true } };
    const watched = await startAnswering(POST, [more, more, last]);
    const { code, stdout, stderr } = await runAt(watched, ["gc"], ON_TERMINAL);
    expect(stderr).toBe(
      `${CLEAR}Collecting…` +
        `${CLEAR}Collecting… 3 manifests, 4 links, 5 blobs; 3 MiB freed` +
        `${CLEAR}Collecting… 6 manifests, 8 links, 10 blobs; 6 MiB freed${CLEAR}` +
        "Collected 9 manifests, 12 links, 15 blobs; 7 MiB freed.\n" +
        "The time begins of 3 manifests and 6 blobs more.\n",
    );
    expect(stdout).toBe("");
    expect(code).toBe(0);

    const sum = { marked: 3, condemned: 6, manifests: 9, links: 12, blobs: 15, bytes: 7 * 1024 ** 2 };
    const piped = await startAnswering(POST, [more, more, last]);
    const outcome = await runAt(piped, ["gc", "--json"]);
    expect(JSON.parse(outcome.stdout)).toEqual({ outcome: sum, isComplete: true });
    expect(outcome.stderr).toBe("");
  });

  test("says so where nothing is due", async () => {
    const nothing = { marked: 0, condemned: 0, manifests: 0, links: 0, blobs: 0, bytes: 0 };
    const registry = await startStandIn({ [POST]: { json: { outcome: nothing, isComplete: true } } });
    const { stderr } = await runAt(registry, ["gc"], { ...ON_TERMINAL, env: { TERM: "dumb" } });
    expect(stderr).toBe("There is nothing due.\n");
    const stuck = await startStandIn({ [POST]: { json: { outcome: nothing, isComplete: false } } });
    const { code, stderr: complaint } = await runAt(stuck, ["gc"]);
    expect(complaint).toMatch(/does not get on with it/);
    expect(code).toBe(1);
  });

  test("leaves no half a line before what went wrong", async () => {
    const registry = await startAnswering(POST, [refuse(403, "only an admin may do this")]);
    const { code, stderr } = await runAt(registry, ["gc"], ON_TERMINAL);
    expect(stderr).toBe(`${CLEAR}Collecting…${CLEAR}stowage: only an admin may do this\n`);
    expect(code).toBe(1);
  });
});

describe("tag", () => {
  test("list shows what each names, until when", async () => {
    const tags = [TAG, { ...TAG, name: "latest", expiresAt: null, immutable: true }];
    const registry = await startStandIn({ "GET /api/tags": { json: { tags } } });
    const { stdout } = await runAt(registry, ["tag", "list", "team/web"], ON_TERMINAL);
    expect(stdout).toBe(
      [
        `Tag      Names${" ".repeat(66)}   Since        Ends        Immutable`,
        `1        ${DIGEST}   3 days ago   in 7 days   no`,
        `latest   ${DIGEST}   3 days ago   never       yes\n`,
      ].join("\n"),
    );
  });

  test("history shows deletions, and what is gone", async () => {
    const events = [{ ...EVENT, digest: null }, EVENT, { ...EVENT, isAvailable: false }];
    const registry = await startStandIn({ "GET /api/tags/history": { json: { events } } });
    const { stdout } = await runAt(registry, ["tag", "history", "team/web:1"], ON_TERMINAL);
    expect(stdout).toBe(
      [
        `When         Named from then on${" ".repeat(53)}   By              Still there`,
        `3 days ago   nothing: it was deleted${" ".repeat(48)}   account:alice`,
        `3 days ago   ${DIGEST}   account:alice   yes`,
        `3 days ago   ${DIGEST}   account:alice   no\n`,
      ].join("\n"),
    );
  });

  test.each([
    ["restore team/web 1", "restore", { digest: DIGEST }, `team/web:1 names ${DIGEST} now.`],
    ["expire team/web 1 --after 7d", "expiry", { expiresAt: "2026-06-22T12:00:00Z" }, "team/web:1 ends in 7 days."],
    ["expire team/web 1 --after never", "expiry", { expiresAt: null }, "team/web:1 does not end by itself."],
  ])("%s says what holds now", async (command, noun, answer, line) => {
    const json = { repository: "team/web", tag: "1", ...answer };
    const registry = await startStandIn({ [`POST /api/tags/${noun}`]: { json } });
    const outcome = await runAt(registry, ["tag", ...command.split(" ")], ON_TERMINAL);
    expect(outcome).toEqual({ code: 0, stdout: "", stderr: `${line}\n` });
  });

  test("release says what each names now", async () => {
    const releases = ["web", "api"].map((repository) => ({ repository, tag: "1", digest: DIGEST }));
    const registry = await startStandIn({ "POST /api/tags/release": { json: { releases } } });
    const { stderr } = await runAt(registry, ["tag", "release", "web:1=2", "api:1=2"], ON_TERMINAL);
    expect(stderr).toBe(`web:1 names ${DIGEST} now.\napi:1 names ${DIGEST} now.\n`);
  });

  test.each([
    [DIGEST, DIGEST],
    [null, "nothing: it was deleted"],
  ])("at shows what it named: %s", async (digest, words) => {
    const json = { repository: "team/web", tag: "1", time: "2026-06-12T12:00:00Z", digest };
    const registry = await startStandIn({ "GET /api/tags/at": { json } });
    const args = ["tag", "at", "team/web:1", "--time", "2026-06-12T12:00:00Z"];
    const { stdout } = await runAt(registry, args, ON_TERMINAL);
    expect(stdout).toBe(`Tag     team/web:1\nTime    3 days ago\nNamed   ${words}\n`);
  });
});

describe("retention", () => {
  const rule = { repository: "team/**", tags: ["dev-*"], keep: { newest: 2 } };

  test("set sends the rule of a file, or of stdin, as it is", async () => {
    const file = join(makeFolder(), "rule.json");
    writeFileSync(file, JSON.stringify(rule));
    const registry = await startStandIn({ "PUT /api/retention/dev": { json: RULE } });
    const set = ["retention", "set", "dev", "--file"];
    expect(await runAt(registry, [...set, file])).toEqual({ code: 0, stdout: "", stderr: "" });
    const piped = await runAt(registry, [...set, "-", "--json"], { stdin: JSON.stringify(rule) });
    expect(JSON.parse(piped.stdout)).toEqual(RULE);
    expect(registry.calls.map(({ body }) => JSON.parse(body) as unknown)).toEqual([rule, rule]);
    expect((await runAt(registry, [...set, file], ON_TERMINAL)).stderr).toContain(
      "npx stowage retention preview dev\n",
    );
  });

  test.each(["[]", "7", "{"])("set refuses what is no rule: %s", async (stdin) => {
    const registry = await startStandIn();
    const { code, stderr } = await runAt(registry, ["retention", "set", "dev", "--file", "-"], { stdin });
    expect(stderr).toMatch(/^stowage: --file - is not a retention rule that can be read: .*\n$/);
    expect(code).toBe(2);
    expect(registry.logins).toEqual([]);
  });

  test("list shows what each keeps, and whether it was looked at", async () => {
    const registry = await startStandIn({ "GET /api/retention": { json: { rules: [RULE] } } });
    const { stdout } = await runAt(registry, ["retention", "list"], ON_TERMINAL);
    expect(stdout).toBe(
      [
        "Name   Repositories   Keeps          Previewed   Since        By",
        'dev    team/**        {"newest":2}   never       3 days ago   account:admin\n',
      ].join("\n"),
    );
  });

  test("list says what follows from the settings", async () => {
    const rule = { repository: "docker.io/**", keep: { pulledWithin: "30d" }, mayEmpty: true };
    const mirror = { name: "mirror:docker.io", rule, upstream: "docker.io" };
    const unstored = { ...mirror, previewedAt: null, createdAt: null, createdBy: null };
    const registry = await startStandIn({ "GET /api/retention": { json: { rules: [unstored] } } });
    const { stdout } = await runAt(registry, ["retention", "list"], ON_TERMINAL);
    const [, line] = stdout.split("\n");
    expect(line?.split(/ {2,}/)).toEqual([
      ...["mirror:docker.io", "docker.io/**", '{"pulledWithin":"30d"}', "runs without", "the setting UPSTREAMS"],
    ]);
  });

  test("preview shows for each repository what goes and stays, and why", async () => {
    const json = { ...PREVIEW, isComplete: false };
    const registry = await startStandIn({ "POST /api/retention/preview": { json } });
    const { stdout, stderr } = await runAt(registry, ["retention", "preview", "dev"], ON_TERMINAL);
    expect(stdout).toBe(
      [
        "team/web: 1 tag, 1 manifest, 5 GiB would go",
        "Tag             Why",
        "dev-1   goes    not among the 2 newest",
        "dev-9   stays   the newest",
        "",
        "team/api: 0 tags, 0 manifests, 0 bytes would go",
        "Tag             Why",
        "dev-9   stays   the newest\n",
      ].join("\n"),
    );
    expect(stderr).toBe(
      `${CLEAR}Looking…${CLEAR}1 tag would go; 5 GiB freed when it is collected.\n` +
        "There is more than one look shows: this is the beginning of it.\n",
    );
  });

  test.each(["preview", "run"])("%s goes on from where the answer before ended", async (action) => {
    const request = `POST /api/retention/${action}`;
    const some = { repositories: REMOVAL.repositories, bytes: 1024 };
    const answers = ["1:team/a", "1:team/b"].map((last) => ({ json: { ...some, isComplete: false, last } }));
    const registry = await startAnswering(request, [...answers, { json: { ...some, isComplete: true } }]);
    const { code, stdout } = await runAt(registry, [
      "retention",
      action,
      "dev",
      "--json",
      ...(action === "run" ? ["--yes"] : []),
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ bytes: 3072, isComplete: true });
    expect(JSON.parse(stdout)).not.toHaveProperty("last");
    expect(code).toBe(0);
    const stuck = await startStandIn({ [request]: answers[0]! });
    const { stderr } = await runAt(stuck, ["retention", action, "dev", ...(action === "run" ? ["--yes"] : [])]);
    expect(stderr).toMatch(/does not get on with it/);
  });

  test("run asks first, then asks the registry until it is complete", async () => {
    const request = "POST /api/retention/run";
    const answers = [{ json: { ...REMOVAL, isComplete: false } }, { json: REMOVAL }];
    const registry = await startAnswering(request, answers);
    const { code, stdout, stderr } = await runAt(registry, ["retention", "run"], { ...ON_TERMINAL, stdin: "y\n" });
    expect(stderr).toContain("Remove the tags that the retention rules do not keep?");
    expect(stderr).toContain(`${CLEAR}Removing… 1 tag${CLEAR}Removed 2 tags; 2 KiB are freed when it is collected.\n`);
    const section = [
      "team/web: 1 tag, 1 manifest, 1 KiB went",
      `Tag     Named${" ".repeat(66)}   Why`,
      `dev-1   ${DIGEST}   not among the 2 newest\n`,
    ].join("\n");
    expect(stdout).toBe(`${section}\n${section}`);
    expect(code).toBe(0);

    const piped = await startAnswering(request, answers);
    const { stdout: json } = await runAt(piped, ["retention", "run", "--yes", "--json"]);
    const { repositories } = REMOVAL;
    expect(JSON.parse(json)).toEqual({
      ...{ repositories: [...repositories, ...repositories], bytes: 2048, isComplete: true },
    });
  });

  test("run removes nothing after a no, nor where nobody can answer, nor without a preview", async () => {
    const untouched = await startStandIn();
    const args = ["retention", "run", "dev"];
    expect(await runAt(untouched, args, { ...ON_TERMINAL, stdin: "n\n" })).toMatchObject({ code: 1 });
    const { code, stderr } = await runAt(untouched, args);
    expect(stderr).toMatch(/^stowage: Remove the tags that the retention rule dev does not keep\? .* add --yes\n$/);
    expect(code).toBe(2);
    expect(untouched.logins).toEqual([]);

    const message = "preview the rule dev first";
    const registry = await startStandIn({ "POST /api/retention/run": refuse(409, message, undefined, "CONFLICT") });
    expect(await runAt(registry, [...args, "--yes"])).toEqual({ code: 1, stdout: "", stderr: `stowage: ${message}\n` });
  });

  test("run ends where the registry does not get on", async () => {
    const json = { repositories: [], bytes: 0, isComplete: false };
    const registry = await startStandIn({ "POST /api/retention/run": { json } });
    const { code, stderr } = await runAt(registry, ["retention", "run", "--yes"]);
    expect(stderr).toMatch(/does not get on with it/);
    expect(code).toBe(1);
    expect(registry.calls).toHaveLength(1);
  });
});
