import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { ADMIN, type Credentials } from "../../support/access.ts";
import { registry } from "../../support/registry.ts";
import { describeWithTools, type Tool, toolPath } from "../../support/tools.ts";

/** A wide window, and a phone. */
export const WIDE = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** What a test does with a browser: each window is a person of its own, who begins signed out. */
export interface Windows {
  /** Opens a path of the registry. */
  readonly open: (path: string, options?: BrowserContextOptions) => Promise<Page>;
}

/** How long something may take to be seen; a busy machine is no failure. */
const PATIENCE_MS = 20_000;

/**
 * A group of tests in Chromium. Beside what it expects, each test must leave no error on the console of its windows: the page's
 * policy reports there what it forbids. An answer of 4xx is none, as the tests provoke those.
 */
export function describeInBrowser(title: string, tools: readonly Tool[], body: (windows: Windows) => void): void {
  describeWithTools(title, ["chromium", ...tools], () => {
    let browser: Browser;
    const contexts: BrowserContext[] = [];
    const complaints: string[] = [];

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: toolPath("chromium"), args: ["--no-sandbox"] });
    });
    afterEach(async () => {
      await Promise.all(contexts.splice(0).map(async (context) => await context.close()));
      expect(complaints.splice(0)).toEqual([]);
    });
    afterAll(async () => await browser.close());

    const open = async (path: string, options: BrowserContextOptions = {}): Promise<Page> => {
      const context = await browser.newContext({ viewport: WIDE, baseURL: registry.url, ...options });
      contexts.push(context);
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(`${path}: ${error.message}`));
      page.on("console", (message) => {
        const text = message.text();
        if (message.type() === "error" && !text.startsWith("Failed to load resource"))
          complaints.push(`${path}: ${text}`);
      });
      await page.goto(path);
      return page;
    };
    body({ open });
  });
}

/** Signs in by the form, as the admin if nobody else is named. */
export async function signIn(page: Page, { username, password }: Credentials = ADMIN): Promise<void> {
  // The head's; a page that shows nothing to strangers has one as well.
  await page.getByRole("banner").getByRole("link", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}
