import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addAccount, makePublic } from "../support/access.ts";
import { logIn } from "../support/clients.ts";
import { fetchManifest, imageName, manifestStatus, repositoryName } from "../support/registry.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";
import { describeInBrowser, PHONE, signIn } from "./support/browser.ts";
import { pushImage } from "./support/seed.ts";

const SCRIPT = "<script>document.title='taken over'</script><img src=x onerror=\"document.title='taken over'\">";

describeInBrowser("the page of a repository", ["crane"], ({ open }) => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await createWorkspace();
    await logIn("crane", workspace);
  });
  afterAll(async () => await workspace.remove());

  /** A repository with the tags v1 and v2, which have a layer in common. */
  async function seed(isPublic = true): Promise<string> {
    const name = repositoryName(`shop-${randomUUID()}`);
    const base = { "etc/base": randomUUID() };
    await pushImage(workspace, `${name}:v1`, { layers: [base], mutations: ["--set-platform", "linux/arm64"] });
    await pushImage(workspace, `${name}:v2`, { layers: [base, { "app/run": randomUUID() }] });
    if (isPublic) await makePublic(name);
    return name;
  }

  test("lists tags with platform, size, and what to type, and names nobody to strangers", async () => {
    const name = await seed();
    const page = await open(`/r/${name}`, { permissions: ["clipboard-read", "clipboard-write"] });
    const row = page.getByRole("row").filter({ has: page.getByRole("link", { name: "v1", exact: true }) });
    await row.getByText("linux/arm64").waitFor();
    await row.getByText(/^\d[\d.]* (B|kB)$/).waitFor();
    await row.getByRole("button", { name: "Copy docker pull of v1" }).click();
    await row.getByText("Copied").waitFor();
    expect(await page.evaluate(async () => await navigator.clipboard.readText())).toBe(
      `docker pull ${imageName(name, ":v1")}`,
    );
    await row.getByRole("button", { name: /Copy the digest/ }).click();
    expect(await page.getByText("by admin").count()).toBe(0);
    const { digest } = await fetchManifest(name, "v1");
    await expect.poll(async () => await page.evaluate(async () => await navigator.clipboard.readText())).toBe(digest);
  });

  test("deletes a tag, having said what that frees, and restores it", async () => {
    const name = await seed(false);
    const page = await open("/");
    await signIn(page);
    await page.goto(`/r/${name}`);
    await page.getByText("by admin").first().waitFor();
    await page.getByRole("button", { name: "Delete v2" }).click();
    await page
      .getByRole("dialog")
      .getByText(/Collection will take 1 manifest and free \d/)
      .waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("The tag v2 is deleted.").waitFor();
    await page.getByRole("link", { name: "v2", exact: true }).waitFor({ state: "detached" });
    expect(await manifestStatus(name, "v2")).toBe(404);
    await page.getByRole("button", { name: "Restore it" }).click();
    await page.getByRole("link", { name: "v2", exact: true }).waitFor();
    expect(await manifestStatus(name, "v2")).toBe(200);
  });

  test("offers nothing that its reader may not do", async () => {
    const name = await seed(false);
    const page = await open("/");
    await signIn(page, await addAccount([name, "pull"]));
    await page.goto(`/r/${name}`);
    await page.getByRole("link", { name: "v2", exact: true }).waitFor();
    expect(await page.getByRole("button", { name: /^Delete/ }).count()).toBe(0);
    expect(await page.getByRole("link", { name: "Settings" }).count()).toBe(0);
  });

  test("shows a README, in which nothing runs", async () => {
    const name = await seed();
    const page = await open("/");
    await signIn(page);
    await page.goto(`/r/${name}?view=settings`);
    await page
      .getByLabel("README")
      .fill(
        `# Shop\n\n${SCRIPT}\n\n[good](https://example.com) [bad](javascript:alert(1))\n\n| a | b |\n|-|-|\n| 1 | 2 |`,
      );
    await page.getByRole("button", { name: "Save README" }).click();
    await page.getByText("Saved").waitFor();
    await page.getByLabel("Description").fill(SCRIPT);
    await page.getByRole("button", { name: "Save description" }).click();
    await page.goto(`/r/${name}?view=about`);
    await page.getByRole("heading", { name: "Shop", exact: true }).waitFor();
    await page.getByText("<script>").first().waitFor();
    await page.getByRole("cell", { name: "2" }).waitFor();
    expect(await page.getByRole("link", { name: "good" }).getAttribute("href")).toBe("https://example.com");
    expect(await page.getByText("bad").getAttribute("href")).not.toContain("javascript");
    expect(await page.title()).toBe(`${name} · Stowage`);
  });

  test("changes visibility and tags' rules, which hold at once", async () => {
    const name = await seed(false);
    const page = await open("/");
    await signIn(page);
    await page.goto(`/r/${name}?view=settings`);
    await page.getByRole("button", { name: "Make it public" }).click();
    await page.getByRole("button", { name: "Make it private" }).waitFor();
    await page.getByLabel(/^Immutable/).check();
    await page.getByRole("button", { name: "Save tags" }).click();
    await page.getByText("Saved").waitFor();
    const stranger = await open(`/r/${name}`);
    await stranger.getByText("immutable").first().waitFor();
    expect((await workspace.attempt("crane", ["delete", imageName(name, ":v1")])).code).not.toBe(0);
  });

  test("is no wider than a phone", async () => {
    const name = await seed();
    const page = await open(`/r/${name}`, { viewport: PHONE });
    await page.getByRole("link", { name: "v1", exact: true }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
  });
});
