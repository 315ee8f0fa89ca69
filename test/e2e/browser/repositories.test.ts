import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { makePublic, seedImage } from "../support/access.ts";
import { repositoryName } from "../support/registry.ts";
import { describeInBrowser, PHONE, signIn } from "./support/browser.ts";
import { seedTags } from "./support/seed.ts";

const MANY = 10_000;

describeInBrowser("the list of repositories", [], ({ open }) => {
  test("is searched as one types, and its address shows the same again", async () => {
    const word = randomUUID();
    const names = ["first", "second"].map((name) => repositoryName(`${word}/${name}`));
    for (const name of names) {
      await seedImage(name);
      await makePublic(name);
    }
    const page = await open("/");
    await page.keyboard.press("/");
    await page.keyboard.type(`${word}/sec`);
    await page.getByRole("link", { name: names[0]! }).waitFor({ state: "detached" });
    await page.getByRole("link", { name: names[1]! }).waitFor();
    await page.goto(page.url());
    await page.getByRole("link", { name: names[1]! }).waitFor();
    expect(await page.getByRole("searchbox").inputValue()).toBe(`${word}/sec`);
  });

  test("teaches how to push where nothing is found", async () => {
    const page = await open(`/?q=${randomUUID()}`);
    await page.getByText(/^Nothing has “/).waitFor();
  });

  test("is no wider than a phone", async () => {
    const page = await open("/", { viewport: PHONE });
    await page.getByRole("table").or(page.getByText("Nothing is public here")).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
  });
});

describeInBrowser(`${MANY} of them`, [], ({ open }) => {
  const folder = repositoryName("many");
  const crowded = `${folder}/crowded`;

  beforeAll(async () => {
    const repositories = Array.from({ length: MANY }, (_, index) => `${folder}/r-${index}:latest`);
    const tags = Array.from({ length: MANY }, (_, index) => `${crowded}:v${index}`);
    await seedTags(folder, [...repositories, ...tags]);
  });

  test.each([
    { what: "repositories", path: () => "/", row: "link", expected: folder },
    { what: "tags", path: () => `/r/${crowded}`, row: "link", expected: "v" },
  ])("$what open with one page of data", async ({ path, expected, what }) => {
    const page = await open("/");
    await signIn(page);
    // What the page before asked for is over.
    await page.goto("about:blank");
    const asked: Promise<{ url: string; bytes: number }>[] = [];
    page.on("response", (response) => {
      const url = response.url();
      if (!url.includes("/api/") || url.includes("/api/session")) return;
      asked.push(response.body().then(({ byteLength }) => ({ url, bytes: byteLength })));
    });
    await page.goto(path());
    await page.getByRole("cell", { name: expected }).first().waitFor();
    await page.getByText(new RegExp(`10,0\\d\\d ${what}`)).waitFor();
    expect(await page.locator("tbody tr").count()).toBe(50);
    page.removeAllListeners("response");
    const answers = await Promise.all(asked);
    const lists = answers.filter(({ url }) => /\/api\/(repositories|tags)\?/.test(url));
    expect(lists).toHaveLength(1);
    expect(lists[0]!.bytes).toBeLessThan(32_000);
    process.stderr.write(
      `${what}: ${answers.length} requests, ${answers.reduce((sum, { bytes }) => sum + bytes, 0)} bytes\n`,
    );
    await page.getByRole("link", { name: "Next page" }).click();
    await page.getByRole("link", { name: "First page" }).waitFor();
  });

  test("a search among them answers before one has looked up", async () => {
    const page = await open("/");
    await signIn(page);
    await page.getByRole("searchbox").fill("r-9876");
    await page.getByRole("link", { name: `${folder}/r-9876` }).waitFor();
    expect(await page.locator("tbody tr").count()).toBe(1);
  });
});
