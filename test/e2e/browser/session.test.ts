import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import {
  ADMIN,
  addAccount,
  changePassword,
  createToken,
  makePublic,
  revokeToken,
  seedImage,
} from "../support/access.ts";
import { repositoryName } from "../support/registry.ts";
import { describeInBrowser, signIn } from "./support/browser.ts";

describeInBrowser("a session", [], ({ open }) => {
  test("nobody needs one to see what is public, and nothing else is seen", async () => {
    const names = [repositoryName(`public-${randomUUID()}`), repositoryName(`private-${randomUUID()}`)] as const;
    for (const name of names) await seedImage(name);
    await makePublic(names[0]);
    const page = await open("/?q=e2e-");
    await page.getByRole("link", { name: names[0] }).waitFor();
    expect(await page.getByText(names[1]).count()).toBe(0);
    await page.goto(`/r/${names[1]}`);
    await page.getByText("There is no such repository, or you may not pull it").waitFor();
  });

  test("begins with the right password, outlives a reload, and ends when it is told to", async () => {
    const page = await open("/");
    await signIn(page);
    await page.reload();
    await page.getByRole("link", { name: "Operate" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    expect(await page.getByRole("link", { name: "Operate" }).count()).toBe(0);
  });

  test("does not begin with a wrong password, which the form says", async () => {
    const page = await open("/login");
    await page.getByLabel("Username").fill(`nobody-${randomUUID()}`);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect.poll(async () => await page.getByRole("alert").textContent()).toMatch(/password/i);
    expect(await page.getByLabel("Username").inputValue()).not.toBe("");
  });

  test("leads back to where one was going, and to no other place", async () => {
    const name = repositoryName(`private-${randomUUID()}`);
    await seedImage(name);
    const page = await open(`/r/${name}`);
    await signIn(page);
    await page.getByRole("heading", { name }).waitFor();
    const elsewhere = await open("/login?to=https://example.com/");
    await elsewhere.getByLabel("Username").fill(ADMIN.username);
    await elsewhere.getByLabel("Password").fill(ADMIN.password);
    await elsewhere.getByRole("button", { name: "Sign in" }).click();
    await elsewhere.getByRole("button", { name: "Sign out" }).waitFor();
    await expect.poll(() => new URL(elsewhere.url()).pathname).toBe("/");
  });

  test("of an access token shows what the token may pull", async () => {
    const [mine, other] = [repositoryName(`mine-${randomUUID()}`), repositoryName(`other-${randomUUID()}`)];
    for (const name of [mine, other]) await seedImage(name);
    const token = await createToken(mine, "pull");
    const page = await open("/?q=e2e-");
    await signIn(page, token);
    await page.getByRole("link", { name: mine }).waitFor();
    expect(await page.getByText(other).count()).toBe(0);
    await revokeToken(token);
    await page.reload();
    await page.getByText("Your session has ended").waitFor();
    await page.getByRole("link", { name: mine }).waitFor({ state: "detached" });
  });

  test("ends when the password is changed elsewhere, and the page says so", async () => {
    const account = await addAccount();
    const page = await open("/");
    await signIn(page, account);
    // What the page still asks for would be refused first, and tell it before it is loaded again.
    await page.waitForLoadState("networkidle");
    await changePassword(account);
    await page.reload();
    await page.getByText("Your session has ended").waitFor();
    await page.getByRole("link", { name: "Sign in again" }).waitFor();
  });

  test("keeps its cookie from scripts and from the protocol", async () => {
    const page = await open("/");
    await signIn(page);
    expect(await page.evaluate(() => document.cookie)).toBe("");
    const [cookie] = await page.context().cookies(new URL("/api/session", page.url()).href);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/api/session" });
    expect(await page.context().cookies(new URL("/v2/", page.url()).href)).toEqual([]);
    expect(await page.evaluate(async () => (await fetch("/v2/", { credentials: "include" })).status)).toBe(401);
  });
});
