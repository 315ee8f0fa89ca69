import { beforeAll, describe, expect, it } from "vitest";
import { answerOf, callApi, setRepository } from "../support/api.ts";
import { API_ROUTES } from "../support/api-routes.ts";
import { pushBlob, pushImage } from "../support/images.ts";
import { addAccount, bearerOf, createToken, grant, type Person, setVisibility } from "../support/people.ts";
import { basicAuth, expectError, expectStatus, freshRepository, send } from "../support/registry.ts";
import { bearer, forge } from "../support/tokens.ts";

const API_SCOPE = "registry:api:*";

const PUBLIC = freshRepository();
const PRIVATE = freshRepository();
const NOWHERE = freshRepository();

const digests = new Map<string, string>();
let member: Person;
let stranger: Person;
let robot: Person;

beforeAll(async () => {
  for (const repository of [PUBLIC, PRIVATE]) {
    digests.set(repository, (await pushImage(repository, { tag: "v1" })).digest);
  }
  digests.set(NOWHERE, digests.get(PRIVATE)!);
  await setVisibility(PUBLIC, "public");
  member = await addAccount({ [PRIVATE]: ["pull", "push"] });
  stranger = await addAccount({ [PRIVATE]: ["push", "delete"] });
  robot = await createToken(PRIVATE, ["pull"]);
});

/** What can be read of one repository. */
const READS: readonly (readonly [route: string, path: (repository: string) => string])[] = [
  ["GET /api/repositories/{name}", (repository) => `repositories/${repository}`],
  ["GET /api/readme", (repository) => `readme?repository=${repository}`],
  ["GET /api/tags", (repository) => `tags?repository=${repository}`],
  ["GET /api/tags/history", (repository) => `tags/history?repository=${repository}&tag=v1`],
  ["GET /api/tags/at", (repository) => `tags/at?repository=${repository}&tag=v1&time=2099-01-01T00:00:00Z`],
];

/** For who may delete there. */
const PREVIEWS: typeof READS = [
  ["GET /api/tags/deletion", (repository) => `tags/deletion?repository=${repository}&tag=v1`],
  [
    "GET /api/tags/deletion",
    (repository) => `tags/deletion?repository=${repository}&digest=${digests.get(repository)!}`,
  ],
];

it("covers every route for readers, beside the list of repositories", () => {
  const routes = API_ROUTES.filter(([, , requirement]) => requirement === "reader").map(
    ([verb, path]) => `${verb} ${path}`,
  );
  expect(
    [...new Set(["GET /api/repositories", ...[...READS, ...PREVIEWS].map(([route]) => route)])].toSorted(),
  ).toEqual(routes.toSorted());
});

type Headers = Readonly<Record<string, string>>;

const NOBODY: readonly (readonly [who: string, headers: () => Headers | Promise<Headers>])[] = [
  ["without credentials", () => ({})],
  ["with the empty pair", () => ({ Authorization: basicAuth("", "") })],
  ["with a token of nobody", async () => await bearerOf(undefined, `repository:${PUBLIC}:pull`, API_SCOPE)],
];
const READERS: typeof NOBODY = [
  ["an admin", () => ({ Authorization: basicAuth() })],
  ["an admin's token", async () => await bearer(API_SCOPE)],
  ["a member by a rule", () => member.basic],
  ["a member's token", async () => await bearerOf(member, API_SCOPE)],
  ["an access token", () => robot.basic],
];
const STRANGERS: typeof NOBODY = [...NOBODY, ["one who may push, and not pull", () => stranger.basic]];

describe.each(READS)("%s (%#)", (_route, pathOf) => {
  it.each([...NOBODY, ...READERS])("shows a public repository: %s", async (_who, headers) => {
    await answerOf(await callApi("GET", pathOf(PUBLIC), undefined, await headers()));
  });

  it.each(READERS)("shows a private one to %s", async (_who, headers) => {
    await answerOf(await callApi("GET", pathOf(PRIVATE), undefined, await headers()));
  });
});

describe.each(PREVIEWS)("%s (%#)", (_route, pathOf) => {
  it.each([...NOBODY, ...READERS.slice(2)])("is refused to who may not delete: %s", async (_who, headers) => {
    await expectError(await callApi("GET", pathOf(PUBLIC), undefined, await headers()), 403, "DENIED");
  });

  it("is shown to who may", async () => {
    const person = await addAccount({ [PRIVATE]: ["pull", "delete"] });
    await answerOf(await callApi("GET", pathOf(PRIVATE), undefined, person.basic));
    await answerOf(await callApi("GET", pathOf(PRIVATE)));
  });
});

describe.each([...READS, ...PREVIEWS])("%s (%#)", (_route, pathOf) => {
  it.each(STRANGERS)("knows nothing of a private one, as if there were none: %s", async (_who, headers) => {
    const answers = await Promise.all(
      [PRIVATE, NOWHERE].map(async (repository) => {
        const response = await callApi("GET", pathOf(repository), undefined, await headers());
        expect(response.headers.has("WWW-Authenticate")).toBe(false);
        return (await (await expectStatus(response, 404)).text()).replaceAll(repository, "NAME");
      }),
    );
    expect(answers[0]).toContain("NAME_UNKNOWN");
    expect(answers[0]).toBe(answers[1]);
  });
});

const LIST = ["GET /api/repositories", () => "repositories"] as const;

describe.each([LIST, ...READS, ...PREVIEWS])("%s (%#)", (_route, pathOf) => {
  it.each<[string, () => string | Promise<string>]>([
    ["a wrong password", () => basicAuth("admin", "not the password")],
    ["half a pair", () => `Basic ${btoa("admin")}`],
    ["a forged token", async () => (await forge({ secret: "x".repeat(40) })).Authorization],
    ["a token for something else", async () => (await bearer(`repository:${PUBLIC}:pull`)).Authorization],
  ])("refuses credentials with %s, though anybody may read, and opens no dialog", async (_what, authorization) => {
    const response = await callApi("GET", pathOf(PUBLIC), undefined, { Authorization: await authorization() });
    expect(response.headers.get("WWW-Authenticate")).toMatch(/^Bearer /);
    await expectError(response, 401, "UNAUTHORIZED");
  });
});

describe("what others hold, and who they are", () => {
  interface Listed {
    readonly repositories: readonly {
      readonly name: string;
      readonly size: number;
      readonly uniqueSize: number | null;
    }[];
  }

  /** A member's repository, with a layer that one which the member does not see has too, or has not. */
  async function makeNeighbours(isShared: boolean) {
    const [own, other] = [freshRepository(), freshRepository()];
    const layer = await pushBlob(own, crypto.randomUUID().repeat(1_000));
    await pushImage(own, { tag: "v1", more: { layers: [layer] } });
    if (isShared) {
      await expectStatus(await send("POST", `/v2/${other}/blobs/uploads/?mount=${layer.digest}&from=${own}`), 201);
      await pushImage(other, { tag: "v1", more: { layers: [layer] } });
    }
    return { own, owner: await addAccount({ [own]: ["pull", "push", "delete"] }) };
  }

  it.each([true, false])("cannot be told from sizes and previews, be a layer shared or not: %s", async (isShared) => {
    const { own, owner } = await makeNeighbours(isShared);
    const preview = `tags/deletion?repository=${own}&tag=v1`;
    const told = await answerOf<{ bytes: number }>(await callApi("GET", preview, undefined, owner.basic));
    expect(told.bytes).toBeGreaterThan(36_000);
    const whole = await answerOf<{ bytes: number }>(await callApi("GET", preview));
    expect(whole.bytes < 36_000).toBe(isShared);
    const { repositories } = await answerOf<Listed>(await callApi("GET", "repositories", undefined, owner.basic));
    expect(repositories.find(({ name }) => name === own)).toMatchObject({ uniqueSize: null });
    const shown = await callApi("GET", `repositories/${own}`, undefined, owner.basic);
    expect(await answerOf(shown)).toMatchObject({ uniqueSize: null });
  });

  it("are not named to who asks without credentials", async () => {
    const read = async (path: string, headers?: Headers) =>
      JSON.stringify(await answerOf(await callApi("GET", path, undefined, headers)));
    for (const path of [`tags?repository=${PUBLIC}`, `tags/history?repository=${PUBLIC}&tag=v1`]) {
      expect(await read(path, {})).not.toContain("account:");
      expect(await read(path, member.basic)).toContain("account:admin");
    }
  });
});

describe("what a caller may do with a repository", () => {
  const actionsFor = async (repository: string, headers?: Headers) => {
    const response = await callApi("GET", `repositories/${repository}`, undefined, headers);
    return (await answerOf<{ actions: string[] }>(response)).actions;
  };

  it("is told with it", async () => {
    expect(await actionsFor(PRIVATE)).toEqual(["pull", "push", "delete"]);
    expect(await actionsFor(PRIVATE, member.basic)).toEqual(["pull", "push"]);
    expect(await actionsFor(PRIVATE, robot.basic)).toEqual(["pull"]);
    expect(await actionsFor(PUBLIC, {})).toEqual(["pull"]);
    expect(await actionsFor(PUBLIC, stranger.basic)).toEqual(["pull"]);
  });

  it("follows the rules of that moment, whatever the token", async () => {
    const person = await addAccount({ [PRIVATE]: ["pull"] });
    const headers = await bearerOf(person, API_SCOPE);
    await grant(`account:${person.name}`, { [PRIVATE]: ["delete"] });
    expect(await actionsFor(PRIVATE, headers)).toEqual(["pull", "delete"]);
    await setRepository(PRIVATE, { visibility: "private" });
    await expectStatus(
      await callApi("DELETE", `policy/rules?subject=account:${person.name}&repository=${encodeURIComponent(PRIVATE)}`),
      204,
    );
    await expectError(await callApi("GET", `repositories/${PRIVATE}`, undefined, headers), 404, "NAME_UNKNOWN");
  });
});
