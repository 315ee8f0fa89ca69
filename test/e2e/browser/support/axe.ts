import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import type axe from "axe-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

declare global {
  interface Window {
    readonly axe: typeof axe;
  }
}

/** What WCAG 2.2 AA asks, and good practice beside it. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe finds wrong with the page as it is now: each rule with the first place that breaks it. */
export async function findBarriers(page: Page): Promise<string[]> {
  // By the browser's own channel: the page's policy lets no script in.
  await page.evaluate(await readFile(AXE, "utf8"));
  const { violations } = await page.evaluate<Pick<axe.AxeResults, "violations">, string[]>(
    async (values) => await window.axe.run(document, { runOnly: { type: "tag", values } }),
    RULES,
  );
  return violations.map(({ id, impact, nodes }) => `${impact ?? ""} ${id}: ${nodes[0]?.html ?? ""}`);
}
