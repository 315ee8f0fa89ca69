import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePublic } from "../support/access.ts";
import { registry, repositoryName } from "../support/registry.ts";
import { type StartedRegistry, startRegistry } from "../support/server.ts";
import { findBarriers } from "./support/axe.ts";
import { describeInBrowser, signIn, WIDE } from "./support/browser.ts";
import { seedTags } from "./support/seed.ts";

/** The narrowest phone that there still is. */
const NARROW = { width: 360, height: 740 };

describeInBrowser("the mirror", [], ({ open }) => {
  const folder = repositoryName("mirrored");
  let mirror: StartedRegistry;

  beforeAll(async () => {
    const here = { name: "here.test", url: registry.url, private: true, anonymous: true, root: ["elsewhere.test"] };
    const gone = { name: "gone.test", url: "http://127.0.0.1:9", private: true };
    mirror = await startRegistry({ UPSTREAMS: JSON.stringify([here, gone]) });
    await seedTags(folder, [`${folder}/app:1`]);
    await makePublic(`${folder}/app`);
  });
  afterAll(async () => await mirror.stop());

  async function view(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await open("/", { baseURL: mirror.url, ...options });
    await signIn(page, mirror);
    await page.goto("/operate/mirror");
    await page.getByRole("row").filter({ hasText: "here.test" }).waitFor();
    return page;
  }

  test("an upstream is checked, and what it says stays", async () => {
    const page = await view();
    await page.getByRole("button", { name: "Check here.test" }).click();
    await page.getByRole("status").getByText("here.test answers").waitFor();
    await page.getByRole("row").filter({ hasText: "here.test" }).getByText("just now").waitFor();
    await page.getByRole("button", { name: "Check gone.test" }).click();
    await page.getByRole("status").getByText("gone.test cannot be reached").waitFor();
    await page.reload();
    await page.getByRole("row").filter({ hasText: "gone.test" }).getByText("gone.test cannot be reached").waitFor();
  });

  test("what was pulled through it is counted, and a click away", async () => {
    const name = `here.test/${folder}/app`;
    const response = await fetch(`${mirror.url}/v2/${name}/manifests/1`, {
      headers: { authorization: `Basic ${btoa(`${mirror.username}:${mirror.password}`)}` },
    });
    expect(response.status).toBe(200);
    const page = await view();
    await page.getByRole("link", { name: "1 repository" }).click();
    await page.getByRole("link", { name }).waitFor();
  });

  test("each client's file is shown with the registry's address, or says what is missing", async () => {
    const page = await view();
    await page.getByText("is no mirror of docker.io").waitFor();
    const client = page.getByLabel("Client");
    await client.selectOption("containerd");
    await page.getByLabel("Upstream").selectOption("gone.test");
    await page.getByText(`[host."${mirror.url}"]`).waitFor();
    await page.getByText("In /etc/containerd/certs.d/gone.test/hosts.toml").waitFor();
    await client.selectOption("containers");
    await page.getByText(`location = "${mirror.host}/gone.test"`).waitFor();
    await client.selectOption("k3s");
    await page.getByText('"here.test":').waitFor();
    await client.selectOption("name");
    await page.getByText(`docker pull ${mirror.host}/gone.test/NAME`).waitFor();
  });

  test.each([
    ["light", WIDE],
    ["dark", NARROW],
  ] as const)("keeps nobody out, and fits, in %s colours at %j", async (colorScheme, viewport) => {
    const page = await view({ colorScheme, viewport });
    await page.getByText("What is mirrored").first().click();
    await page.getByText("is no mirror of docker.io").waitFor();
    expect.soft(await findBarriers(page)).toEqual([]);
    await page.getByLabel("Client").selectOption("containers");
    await page.getByText("location =").waitFor();
    await page.getByRole("button", { name: "Check gone.test" }).click();
    await page.getByRole("status").getByText("gone.test cannot be reached").waitFor();
    expect.soft(await findBarriers(page)).toEqual([]);
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(beyond, "what is beyond the window").toBeLessThanOrEqual(0);
  });
});
