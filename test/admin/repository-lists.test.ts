import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerOf, callApi, readPages } from "../support/api.ts";
import { image, pushBlob, pushImage, pushManifest, randomBytes } from "../support/images.ts";
import { addAccount, grant, type Person, setVisibility } from "../support/people.ts";
import {
  basicAuth,
  expectError,
  expectStatus,
  freshRepository,
  nextLink,
  send,
  sendAnonymously,
} from "../support/registry.ts";
import { rows } from "../support/uploads.ts";

interface Listed {
  readonly name: string;
  readonly visibility: string;
  readonly description: string | null;
  readonly tags: number;
  readonly size: number;
  readonly uniqueSize: number;
  readonly pushedAt: string | null;
  readonly pulledAt: string | null;
  readonly pulls: number;
}

interface Answer {
  readonly repositories: Listed[];
  readonly total: number;
}

type Headers = Readonly<Record<string, string>>;

const prefix = freshRepository();
const [part] = prefix.split("/").slice(-1);

/** The ends of the names, in the order of names; what each is ordered by is in an order of its own. */
const NAMES = ["/a", "/b", "/c", "/d"];
const ORDERS = { pushed: "dbca", size: "bdac", tags: "cabd", pulls: "adcb" };

let member: Person;

beforeAll(async () => {
  for (const end of NAMES) await pushImage(`${prefix}${end}`, { tag: "v1" });
  const columns = { pushed: "pushed_at", size: "size", tags: "tag_count", pulls: "pulls" };
  for (const [sort, letters] of Object.entries(ORDERS)) {
    const column = columns[sort as keyof typeof columns];
    const set = env.DB.prepare(`UPDATE repositories SET ${column} = ?2 WHERE name = ?1`);
    // Beyond what other tests have, and one of them twice: names order these.
    const values = Array.from(letters, (letter, index) => [letter, 4_000_000_000_000 - Math.min(index, 2)] as const);
    await env.DB.batch(values.map(([letter, value]) => set.bind(`${prefix}/${letter}`, value)));
  }
  member = await addAccount();
  // By several rules at once.
  await grant(`account:${member.name}`, { [`${prefix}/**`]: ["pull"], [`${prefix}/a`]: ["pull", "push"] });
});

// What is written there is not what they hold.
afterAll(async () => {
  for (const end of NAMES) await expectStatus(await callApi("DELETE", `repositories/${prefix}${end}`), 204);
});

const endsOf = (repositories: readonly Listed[]) =>
  repositories
    .filter(({ name }) => name.startsWith(`${prefix}/`))
    .map(({ name }) => name.slice(prefix.length + 1))
    .join("");

/** All pages of a list that someone gets. */
async function readAll(query: string, headers: Headers): Promise<{ pages: Listed[][]; totals: number[] }> {
  const [pages, totals]: [Listed[][], number[]] = [[], []];
  for (let next: string | undefined = `/api/repositories?${query}`; next !== undefined;) {
    const response: Response = await sendAnonymously("GET", next, { headers });
    const { repositories, total } = await answerOf<Answer>(response);
    pages.push(repositories);
    totals.push(total);
    next = nextLink(response);
  }
  return { pages, totals };
}

/** Of the last two, which have one value, names tell which comes first, in either direction. */
const CASES = Object.entries(ORDERS).flatMap(([sort, letters]) => {
  const [first = "", second = "", ...tied] = letters;
  const ascending = [...tied.toSorted(), second, first].join("");
  const descending = [first, second, ...tied.toSorted().reverse()].join("");
  return [
    { query: `sort=${sort}&order=desc`, expected: descending },
    { query: `sort=${sort}`, expected: descending },
    { query: `sort=${sort}&order=asc`, expected: ascending },
  ];
});

describe("the list of repositories", () => {
  it.each([{ query: "", expected: "abcd" }, { query: "sort=name&order=desc", expected: "dcba" }, ...CASES])(
    "with '$query' is in the order $expected, in pages of any size, for an admin and for a member",
    async (one) => {
      const people = { admin: { Authorization: basicAuth() }, member: member.basic };
      for (const [who, headers] of Object.entries(people)) {
        for (const n of [1, 3, 100]) {
          const { pages, totals } = await readAll(`${one.query}&q=${part!}&n=${n}`, headers);
          expect([who, n, endsOf(pages.flat())]).toEqual([who, n, one.expected]);
          expect(new Set(totals)).toEqual(new Set([4]));
          expect(pages.every((page) => page.length <= n)).toBe(true);
        }
      }
    },
  );

  it("shows by push first, to an admin, what was pushed last", async () => {
    const { repositories } = await answerOf<Answer>(await callApi("GET", "repositories?sort=pushed&n=4"));
    expect(endsOf(repositories)).toBe(CASES[1]!.expected);
  });

  it("finds part of a name, in letters of any case, and nothing that is not there", async () => {
    const find = async (q: string, headers?: Headers) =>
      await answerOf<Answer>(await callApi("GET", `repositories?q=${encodeURIComponent(q)}`, undefined, headers));
    for (const headers of [undefined, member.basic]) {
      expect((await find(`${part!}/B`.toUpperCase(), headers)).repositories.map(({ name }) => name)).toEqual([
        `${prefix}/b`,
      ]);
      expect(await find(`${part!}%`, headers)).toEqual({ repositories: [], total: 0 });
      expect(await find(`${part!}/x`, headers)).toEqual({ repositories: [], total: 0 });
    }
  });

  it("shows nobody what is public, and how many that are", async () => {
    const shown = `${freshRepository()}/shown`;
    await pushImage(shown, { tag: "v1" });
    await setVisibility(shown, "public");
    for (const sort of ["name", "pushed", "size"]) {
      const query = `repositories?sort=${sort}&q=${encodeURIComponent(shown)}`;
      const { repositories, total } = await answerOf<Answer>(await callApi("GET", query, undefined, {}));
      expect([repositories.map(({ name }) => name), total]).toEqual([[shown], 1]);
      expect(
        (await readAll(`sort=${sort}&n=100`, {})).pages.flat().filter(({ name }) => name.startsWith(prefix)),
      ).toEqual([]);
    }
  });

  it("tells an admin how many there are, as many as its pages hold", async () => {
    const { total } = await answerOf<Answer>(await callApi("GET", "repositories?n=0"));
    expect((await readPages<Listed>("repositories", "repositories")).flat()).toHaveLength(total);
  });

  it.each(["size", "pushed"])("by %s refuses a last that is not its own", async (sort) => {
    for (const last of ["a", `${prefix}/a`, btoa("x y")]) {
      const query = `repositories?sort=${sort}&last=${encodeURIComponent(last)}`;
      await expectError(await callApi("GET", query), 400, "PAGINATION_NUMBER_INVALID");
    }
  });

  it.each(["sort=created", "order=up", "q=a&q=b", `q=${"a".repeat(256)}`])("refuses %s", async (query) => {
    await expectError(await callApi("GET", `repositories?${query}`), 400, "REQUEST_INVALID");
  });
});

describe("a repository in the list", () => {
  const find = async (name: string) => {
    const { repositories } = await answerOf<Answer>(await callApi("GET", `repositories?q=${encodeURIComponent(name)}`));
    return repositories.find((one) => one.name === name)!;
  };

  it("shows what it holds, what of it is its own, and when that was pushed", async () => {
    const [one, other] = [freshRepository(), freshRepository()];
    const shared = await pushBlob(one, randomBytes(1_000));
    expect(await find(one)).toMatchObject({
      ...{ visibility: "private", description: null, tags: 0, manifests: 0, size: 1_000, uniqueSize: 1_000 },
      ...{ pushedAt: null, pulledAt: null, pulls: 0 },
    });
    const own = await pushBlob(one, randomBytes(500));
    const { size } = await pushManifest(one, image(own, [shared]), { tag: "v1" });
    await expectStatus(await send("POST", `/v2/${other}/blobs/uploads/?mount=${shared.digest}&from=${one}`), 201);
    const found = await find(one);
    expect(found).toMatchObject({ tags: 1, manifests: 1, size: 1_500 + size, uniqueSize: 500 + size });
    expect(Math.abs(Date.parse(found.pushedAt!) - Date.now())).toBeLessThan(600_000);
    expect(await find(other)).toMatchObject({ size: 1_000, uniqueSize: 0, pushedAt: null });
    await expectStatus(await send("DELETE", `/v2/${other}/blobs/${shared.digest}`), 202);
    expect(await find(one)).toMatchObject({ size: 1_500 + size, uniqueSize: 1_500 + size });
  });

  it("shows a later push, of the same manifest too, and its first pull at once", async () => {
    const repository = freshRepository();
    const manifest = image(await pushBlob(repository, crypto.randomUUID()));
    await pushManifest(repository, manifest, { tag: "v1" });
    const [{ id } = { id: 0 }] = await rows<{ id: number }>("SELECT id FROM repositories WHERE name = ?1", repository);
    await rows("UPDATE manifests SET pushed_at = 1000 WHERE repository_id = ?1", id);
    await rows("UPDATE repositories SET pushed_at = 1000 WHERE id = ?1", id);
    expect((await find(repository)).pushedAt).toBe("1970-01-01T00:00:01.000Z");
    await pushManifest(repository, manifest, { tag: "v1" });
    expect(Date.parse((await find(repository)).pushedAt!)).toBeGreaterThan(1_000_000);
    await expectStatus(await send("HEAD", `/v2/${repository}/manifests/v1`), 200);
    expect(await find(repository)).toMatchObject({ pulls: 0, pulledAt: null });
    await expectStatus(await send("GET", `/v2/${repository}/manifests/v1`), 200);
    await expect.poll(async () => (await find(repository)).pulls).toBe(1);
    expect(Math.abs(Date.parse((await find(repository)).pulledAt!) - Date.now())).toBeLessThan(600_000);
  });
});
