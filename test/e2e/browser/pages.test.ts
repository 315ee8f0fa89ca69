import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { logIn } from "../support/clients.ts";
import { PROJECT_ROOT } from "../support/paths.ts";
import { fetchManifest } from "../support/registry.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";
import { findBarriers } from "./support/axe.ts";
import { describeInBrowser, PHONE, signIn, WIDE } from "./support/browser.ts";
import { seedDemo } from "./support/demo.ts";

/** Where pictures of the pages go; undefined: nowhere. `npm run docs:screenshots` sets it. */
const PICTURES = process.env.STOWAGE_SCREENSHOTS;

/** Every kind of page, and what is on it once it is all there. */
const PAGES: readonly { readonly name: string; readonly path: string; readonly shows: RegExp | string }[] = [
  { name: "repositories", path: "/", shows: "shop/web" },
  { name: "login", path: "/login", shows: "Username" },
  { name: "repository", path: "/r/shop/web", shows: "2.1.0" },
  { name: "about", path: "/r/shop/web?view=about", shows: "What it needs" },
  { name: "settings", path: "/r/shop/web?view=settings", shows: "Delete shop/web" },
  { name: "image", path: "/r/shop/web:2.1.0", shows: "docker pull" },
  { name: "compare", path: "/compare?from=shop/web:2.0.0&to=shop/web:2.1.0", shows: "2.1.0" },
  { name: "operate", path: "/operate", shows: /stored/i },
  { name: "collection", path: "/operate/collection", shows: /collect/i },
  { name: "retention", path: "/operate/retention", shows: /rule/i },
  { name: "tokens", path: "/operate/tokens", shows: "ci" },
  { name: "trust", path: "/operate/trust", shows: /github/i },
  { name: "accounts", path: "/operate/accounts", shows: "alice" },
  { name: "policy", path: "/operate/policy", shows: "shop/**" },
  { name: "mirror", path: "/operate/mirror", shows: "No registry is mirrored" },
  { name: "audit", path: "/operate/audit", shows: "Every change" },
  { name: "cost", path: "/operate/cost", shows: "Storage" },
];

/** Those of which the docs have a picture, wide and light, and narrow and dark. */
const PICTURED = ["repositories", "repository", "image", "compare", "operate", "cost"];

const LOOKS = [
  { look: "wide-light", viewport: WIDE, colorScheme: "light" },
  { look: "wide-dark", viewport: WIDE, colorScheme: "dark" },
  { look: "phone-light", viewport: PHONE, colorScheme: "light" },
  { look: "phone-dark", viewport: PHONE, colorScheme: "dark" },
] as const;

describeInBrowser("every page", ["crane", "buildah"], ({ open }) => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await createWorkspace();
    await logIn("crane", workspace);
    await seedDemo(workspace);
  });
  afterAll(async () => await workspace.remove());

  test.each(LOOKS)("keeps nobody out, and fits: $look", async ({ look, viewport, colorScheme }) => {
    const page = await open("/", { viewport, colorScheme });
    for (const each of PAGES.filter(({ name }) => name === "login")) await examine(page, each, look);
    await signIn(page);
    for (const each of PAGES.filter(({ name }) => name !== "login")) await examine(page, each, look);
  });

  async function examine(page: Page, { name, path, shows }: (typeof PAGES)[number], look: string): Promise<void> {
    await page.goto(path);
    await page.getByText(shows).first().waitFor();
    await expect.poll(async () => await page.locator(".skeleton").count(), { timeout: 20_000 }).toBe(0);
    expect(await findBarriers(page), `${name}, ${look}`).toEqual([]);
    const { width } = page.viewportSize()!;
    const needed = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(needed, `${name}, ${look}: how wide it is`).toBeLessThanOrEqual(width);
    if (PICTURES === undefined || !PICTURED.includes(name) || !["wide-light", "phone-dark"].includes(look)) return;
    const folder = resolve(PROJECT_ROOT, PICTURES);
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}-${look}.png`) });
  }

  test("what an image says of itself is text, wherever it is shown", async () => {
    const { digest } = await fetchManifest("shop/hostile", "1");
    const page = await open("/");
    await signIn(page);
    const paths = [
      "/r/shop/hostile",
      "/r/shop/hostile?view=about",
      "/r/shop/hostile:1",
      "/r/shop/hostile:1?view=config",
      `/r/shop/hostile@${digest}`,
    ];
    for (const path of paths) {
      await page.goto(path);
      await page.getByText("shop/hostile").first().waitFor();
      await expect.poll(async () => await page.locator(".skeleton").count(), { timeout: 20_000 }).toBe(0);
      expect(await page.evaluate(() => (window as { taken?: boolean }).taken ?? false), path).toBe(false);
    }
    await page.goto("/r/shop/hostile:1?view=config");
    await page.getByText("<script>").first().waitFor();
  });
});
