import { randomUUID } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { makePublic } from "../support/access.ts";
import { manifestStatus, repositoryName } from "../support/registry.ts";
import { describeInBrowser, signIn } from "./support/browser.ts";
import { archiveOf, pushRawImage } from "./support/layers.ts";

const BASE = [
  { name: "etc/", type: "directory" },
  { name: "etc/passwd", content: "root" },
  { name: "etc/motd", content: "hello" },
  { name: "var/cache/", type: "directory" },
  { name: "var/cache/old", content: "old" },
] as const;
const UPPER = [
  { name: "etc/.wh.passwd" },
  { name: "etc/motd", content: "changed" },
  { name: "var/cache/.wh..wh..opq" },
  { name: "app/<b>run", content: "run" },
  { name: "../escape", content: "x" },
] as const;

const copyOf = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

const treeRow = (page: Page, name: string) => page.getByRole("treeitem").filter({ hasText: name });

describeInBrowser("the page of an image", [], ({ open }) => {
  /** A public repository with the tag v1: a layer upon another. */
  async function seed(): Promise<string> {
    const name = repositoryName(`image-${randomUUID()}`);
    const [base, upper] = [await archiveOf(BASE), await archiveOf(UPPER)];
    const layers = [
      { bytes: copyOf(gzipSync(base)), createdBy: "/bin/sh -c #(nop) ADD file:x in / " },
      { bytes: copyOf(gzipSync(upper)), createdBy: "RUN /bin/sh -c make <script>x</script> # buildkit" },
    ];
    await pushRawImage(name, "v1", { layers, env: ["A=1"] });
    await makePublic(name);
    return name;
  }

  test("shows the step that made each layer, and folds those that made none", async () => {
    const page = await open(`/r/${await seed()}:v1`);
    await page.getByText("ADD file:x in /", { exact: true }).waitFor();
    await page.getByText("RUN make <script>x</script>", { exact: true }).waitFor();
    expect(await page.getByText("ENV EMPTY=1").count()).toBe(0);
    await page.getByRole("button", { name: "Show 2 steps without files" }).click();
    expect(await page.getByText("ENV EMPTY=1").count()).toBe(2);
  });

  test("looks into a layer, and tells what it does to those below", async () => {
    const page = await open(`/r/${await seed()}:v1`);
    await page.getByRole("link", { name: "Look inside" }).nth(1).click();
    await page.getByRole("tree").waitFor();
    await treeRow(page, "..").getByText("leads out of the image").waitFor();
    await treeRow(page, "etc/").click();
    await treeRow(page, ".wh.passwd").getByText("deletes passwd").waitFor();
    await page.getByRole("searchbox").fill("RUN");
    await treeRow(page, "<b>run").waitFor();
    await page.getByRole("button", { name: "Compare with what is below" }).click();
    await page.getByText("2 files added, 1 changed, 2 deleted").waitFor();
    await page.getByRole("searchbox").fill("old");
    await treeRow(page, "old").getByText("deleted").waitFor();
  });

  test("is gone through by keyboard", async () => {
    const page = await open(`/r/${await seed()}:v1?layer=0`);
    const tree = page.getByRole("tree");
    await tree.focus();
    const active = async () =>
      await tree.evaluate((element) => {
        const id = element.getAttribute("aria-activedescendant") ?? "";
        return document.getElementById(id)?.querySelector(".tree-text")?.textContent;
      });
    const visited = [];
    for (const key of ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowLeft", "End"]) {
      await page.keyboard.press(key);
      visited.push(await active());
    }
    expect(visited).toEqual(["etc/", "motd", "passwd", "etc/", "etc/", "var/"]);
  });

  test.each([
    ["zstd", (tar: Uint8Array) => zstdCompressSync(tar)],
    ["no compression", (tar: Uint8Array) => tar],
    [
      "gzip in several members",
      (tar: Uint8Array) => {
        return Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]);
      },
    ],
  ])("reads a layer in %s, whatever its media type says", async (_, compress) => {
    const name = repositoryName(`image-${randomUUID()}`);
    await pushRawImage(name, "v1", { layers: [{ bytes: copyOf(compress(await archiveOf(BASE))) }] });
    await makePublic(name);
    const page = await open(`/r/${name}:v1?layer=0`);
    await treeRow(page, "etc/").waitFor();
  });

  test("says of a layer that it cannot be read", async () => {
    const name = repositoryName(`image-${randomUUID()}`);
    const cut = gzipSync(await archiveOf(BASE)).subarray(0, -40);
    await pushRawImage(name, "v1", { layers: [{ bytes: copyOf(cut) }] });
    await makePublic(name);
    const page = await open(`/r/${name}:v1?layer=0`);
    await page.getByRole("alert").getByText("This layer cannot be read").waitFor();
  });

  test("compares two images", async () => {
    const name = await seed();
    const layers = [{ bytes: copyOf(gzipSync(await archiveOf(BASE))), createdBy: "ADD y" }];
    await pushRawImage(name, "v2", { layers, env: ["A=2"] });
    const page = await open(`/r/${name}:v1`);
    await page.getByRole("button", { name: "Compare with…" }).click();
    await page.getByLabel("Compare with", { exact: true }).fill("v2");
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.getByText("The first layer is the same").waitFor();
    await page.getByRole("row", { name: "Environment A 2 1" }).waitFor();
  });

  test("shows how its tag moved, and puts it back", async () => {
    const name = await seed();
    const layers = [{ bytes: copyOf(gzipSync(await archiveOf(UPPER))), createdBy: "ADD moved" }];
    await pushRawImage(name, "v1", { layers });
    const page = await open("/");
    await signIn(page);
    await page.goto(`/r/${name}:v1?view=history`);
    await page.getByRole("button", { name: "Restore" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
    await expect.poll(async () => await page.getByRole("row").count()).toBe(4);
    await page.getByRole("link", { name: "Layers" }).click();
    await page.getByText("ADD file:x in /", { exact: true }).waitFor();
  });

  test("deletes its tag, and brings it back", async () => {
    const name = await seed();
    const page = await open("/");
    await signIn(page);
    await page.goto(`/r/${name}:v1`);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("The tag v1 is deleted.").waitFor();
    expect(await manifestStatus(name, "v1")).toBe(404);
    await page.getByRole("button", { name: "Restore it" }).click();
    await page.getByRole("heading", { name: `${name}:v1` }).waitFor();
    expect(await manifestStatus(name, "v1")).toBe(200);
  });

  test("offers nothing to change to who may only look", async () => {
    const page = await open(`/r/${await seed()}:v1?view=history`);
    await page.getByRole("row").nth(1).waitFor();
    expect(await page.getByRole("button", { name: /^(Delete|Restore)/ }).count()).toBe(0);
  });
});
