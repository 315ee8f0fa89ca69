import { randomUUID } from "node:crypto";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { addAccount, basicAuth, type Credentials } from "../support/access.ts";
import { manifestStatus, registry, repositoryName } from "../support/registry.ts";
import { findBarriers } from "./support/axe.ts";
import { describeInBrowser, PHONE, signIn, WIDE } from "./support/browser.ts";
import { seedTags } from "./support/seed.ts";

const VIEWS = ["", "collection", "retention", "tokens", "trust", "accounts", "policy", "mirror", "audit", "cost"];

/** What opens a form, by view. */
const FORMS = [
  ["retention", "Add a rule"],
  ["tokens", "Create a token"],
  ["trust", "Add a trust rule"],
  ["accounts", "Add an account"],
  ["policy", "Grant"],
] as const;

const freshName = (kind: string): string => `${kind}-${randomUUID().slice(0, 8)}`;

const field = (page: Page, name: string) => page.getByRole("textbox", { name, exact: true });

/** The status of a request that proves who it is by a password. */
const statusFor = async (credentials: Credentials): Promise<number> =>
  (await fetch(`${registry.url}/v2/`, { headers: { authorization: basicAuth(credentials) } })).status;

/** Presses a button that asks, and says yes. */
async function confirm(page: Page, button: string, action: string): Promise<void> {
  await page.getByRole("button", { name: button }).click();
  await page.getByRole("dialog").getByRole("button", { name: action }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** The secret of the dialog that shows it once. */
async function readSecret(page: Page): Promise<string> {
  const dialog = page.getByRole("dialog");
  await dialog.getByText("It is shown this once").waitFor();
  const secret = await dialog.locator("code").first().textContent();
  // Escape is easily pressed by mistake, and the secret would be gone.
  await page.keyboard.press("Escape");
  await dialog.getByRole("button", { name: "I have copied it" }).click();
  await dialog.waitFor({ state: "detached" });
  return secret ?? "";
}

describeInBrowser("operating", [], ({ open }) => {
  async function operate(view: string, options: Parameters<typeof open>[1] = {}): Promise<Page> {
    const page = await open("/", options);
    await signIn(page);
    await page.goto(`/operate/${view}`);
    return page;
  }

  test("a token is made, shown once, opens the registry, and is revoked", async () => {
    const page = await operate("tokens");
    const name = freshName("robot");
    await page.getByRole("button", { name: "Create a token" }).click();
    await field(page, "Name").fill(name);
    await field(page, "Repositories").fill("team/* app-*");
    await page.getByLabel("push").check();
    await page.keyboard.press("Enter");
    const token: Credentials = { username: "whoever", password: await readSecret(page) };
    expect(await statusFor(token)).toBe(200);
    await page.getByRole("row").filter({ hasText: name }).getByText("app-*").waitFor();
    await confirm(page, `Revoke the token ${name}`, "Revoke");
    await page.getByText(`The token ${name} is revoked`).waitFor();
    expect(await statusFor(token)).toBe(401);
  });

  test("what the registry objects to stands beside its field, which has the focus", async () => {
    const page = await operate("tokens");
    await page.getByRole("button", { name: "Create a token" }).click();
    await field(page, "Name").fill(freshName("robot"));
    await field(page, "Repositories").fill("NOT A PATTERN");
    await page.getByRole("button", { name: "Create the token" }).click();
    const repositories = page.locator('input[name="repositories"][aria-invalid="true"]');
    await repositories.waitFor();
    await expect.poll(async () => await repositories.evaluate((input) => input === document.activeElement)).toBe(true);
    expect(await field(page, "Name").getAttribute("aria-invalid")).toBe(null);
  });

  test("a retention rule shows what it would remove while it is written, and then does so", async () => {
    const folder = repositoryName(`retained-${randomUUID()}`);
    const repository = `${folder}/app`;
    await seedTags(folder, [`${repository}:a`, `${repository}:b`, `${repository}:c`]);
    const page = await operate("retention");
    const name = freshName("rule");
    await page.getByRole("button", { name: "Add a rule" }).click();
    await field(page, "Name").fill(name);
    await field(page, "Repositories").fill(repository);
    await field(page, "Pulled within").fill("1h");
    await page.getByText("of 1d or more").waitFor();
    await field(page, "Pulled within").fill("");
    await field(page, "Tags like").fill("b");
    await page.getByText("2 tags would go").waitFor();
    await page.getByRole("button", { name: "Add the rule" }).click();
    await page.getByText("Now that it is previewed, the rule runs").waitFor();
    expect(await manifestStatus(repository, "a")).toBe(200);
    await confirm(page, `Run the rule ${name}`, "Run");
    await page.getByText(`The rule ${name} removed 2 tags`).waitFor();
    expect([await manifestStatus(repository, "a"), await manifestStatus(repository, "b")]).toEqual([404, 200]);
    await page.getByRole("button", { name: `Edit the rule ${name}` }).click();
    expect(await field(page, "Tags like").inputValue()).toBe("b");
    await confirm(page, `Remove the rule ${name}`, "Remove");
    await page.getByText(`The rule ${name} is removed`).waitFor();
  });

  test("a trust rule begins with what jobs of its issuer are like, and says how they log in", async () => {
    const page = await operate("trust");
    const name = freshName("ci");
    await page.getByRole("button", { name: "Add a trust rule" }).click();
    await page.getByLabel("GitLab").check();
    await field(page, "Name").fill(name);
    await field(page, "Conditions").fill("namespace_path=acme\nref protected");
    await page.getByRole("button", { name: "Add the rule" }).click();
    await page.getByText("write it as claim=pattern").waitFor();
    await field(page, "Conditions").fill("namespace_path=acme");
    await page.getByRole("button", { name: "Add the rule" }).click();
    await page.getByRole("heading", { name: `How jobs log in by ${name}` }).waitFor();
    await page.getByText(`docker login ${registry.host} --username oidc`).first().waitFor();
    await confirm(page, `Remove the trust rule ${name}`, "Remove");
    await page.getByText(`The trust rule ${name} is removed`).waitFor();
  });

  test("an account is added with a password that the registry makes, is granted something, and is removed", async () => {
    const page = await operate("accounts");
    const name = freshName("person");
    await page.getByRole("button", { name: "Add an account" }).click();
    await field(page, "Name").fill(name);
    await page.keyboard.press("Enter");
    const account: Credentials = { username: name, password: await readSecret(page) };
    expect(await statusFor(account)).toBe(200);

    await page.goto("/operate/policy");
    await page.getByRole("button", { name: "Grant" }).click();
    await field(page, "To").fill(`account:${name}`);
    await field(page, "In").fill("team/*");
    await page.keyboard.press("Enter");
    await page.getByText(`account:${name} may now pull in team/*`).waitFor();
    await field(page, "Who").fill(`account:${name}`);
    await field(page, "With the repository").fill("team/web");
    await page.keyboard.press("Enter");
    await page.getByText(`account:${name} may do this with team/web`).waitFor();
    await confirm(page, `Revoke the rule of account:${name} for team/*`, "Revoke");
    await page.getByText("nothing by this rule").waitFor();

    await page.goto("/operate/accounts");
    await confirm(page, `Remove the account ${name}`, "Remove");
    await page.getByText(`The account ${name} is removed`).waitFor();
    expect(await statusFor(account)).toBe(401);
    await page.goto("/operate/audit?action=account.remove&since=1h");
    await page.getByText(`name: ${name}`).waitFor();
    expect(await page.getByText("account.add", { exact: true }).and(page.locator(".badge")).count()).toBe(0);
  });

  test("collection is told to run, and says what it did", async () => {
    const page = await operate("collection");
    await page.getByRole("button", { name: "Collect now" }).click();
    await page.getByText(/^Collected: /).waitFor();
  });

  test("a month's cost follows what is typed, and says what is no number", async () => {
    const page = await operate("cost");
    const pulls = field(page, "Pulls of an image");
    const known = await pulls.inputValue();
    await pulls.fill("100,000,000");
    await page.getByText(/^\$[\d,]{3,}\.\d\d a month$/).waitFor();
    await pulls.fill("many");
    await page.getByText("use a number").waitFor();
    await page.getByRole("button", { name: "As it looks now" }).click();
    await page.getByText(/^\$[\d,]+\.\d\d a month$/).waitFor();
    expect(await pulls.inputValue()).toBe(known);
  });

  test("who is no admin is told so, and may change the own password", async () => {
    const page = await open("/operate/tokens");
    await page.getByRole("heading", { name: "Sign in to operate the registry" }).waitFor();
    const account = await addAccount();
    await page.goto("/");
    await signIn(page, account);
    await page.goto("/operate/tokens");
    await page.getByRole("heading", { name: "This is for admins" }).waitFor();
    const next = { username: account.username, password: `another ${randomUUID()}` };
    await page.getByLabel("The password until now").fill("wrong");
    await page.getByLabel("The new password").fill(next.password);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("currentPassword must be the password").waitFor();
    await page.getByLabel("The password until now").fill(account.password);
    await page.keyboard.press("Enter");
    await page.getByText("Your password is changed").waitFor();
    expect([await statusFor(account), await statusFor(next)]).toEqual([401, 200]);
    // Still signed in, by the new one.
    await page.reload();
    await page.getByRole("heading", { name: "This is for admins" }).waitFor();
  });

  test.each([401, 403, 429, 500])("every view survives an answer of %i, and offers to try again", async (status) => {
    const page = await operate("tokens");
    const isApi = ({ pathname }: URL) => pathname.startsWith("/api/") && !pathname.startsWith("/api/session");
    const errors = [{ code: "UNKNOWN", message: "the registry does not feel like it" }];
    await page.route(isApi, async (route) => await route.fulfill({ status, json: { errors } }));
    for (const view of VIEWS) {
      await page.goto(`/operate/${view}`);
      const alert = page.getByRole("alert").filter({ hasText: "The registry does not feel like it." }).first();
      await alert.getByRole("button", { name: "Try again" }).waitFor();
    }
    await page.goto("/operate/audit");
    await page.getByRole("alert").waitFor();
    await page.unroute(isApi);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("table").waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test.each([
    ["light", WIDE],
    ["dark", PHONE],
  ] as const)("what is opened has no barrier either, in %s colours at %j", async (colorScheme, viewport) => {
    const page = await operate("", { colorScheme, viewport });
    const days = Array.from({ length: 30 }, (_, index) => ({
      ...{ day: `2026-01-${String(index + 1).padStart(2, "0")}`, repositories: 1, objects: index },
      bytes: index * 1_000_000,
    }));
    await page.route("**/api/usage/history?*", async (route) => await route.fulfill({ json: { days } }));
    await page.goto("/operate");
    await page.getByText("As a table").click();
    await page.getByRole("cell", { name: "29 MB" }).waitFor();
    expect(await findBarriers(page), "the chart").toEqual([]);
    for (const [view, button] of FORMS) {
      await page.goto(`/operate/${view}`);
      await page.getByRole("button", { name: button }).click();
      await page.getByRole("button", { name: "Cancel" }).waitFor();
      expect.soft(await findBarriers(page), button).toEqual([]);
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect.soft(beyond, `${button}: what is beyond the window`).toBeLessThanOrEqual(0);
    }
  });
});
