import { describe, expect, test } from "vitest";
import { startRegistry } from "../support/server.ts";
import { findFormerSuite, findRedesignedSuite, runFormerSuite, runRedesignedSuite, type Verdict } from "./suites.ts";

/** Tests of the former suite that exclude each other, or stand in for those of a workflow that is off. */
const FORMER_ALTERNATIVES = [
  "Get tag name from environment",
  "Cross-mounting of nonexistent blob should yield session id",
  "Cross-mounting without from, and automatic content discovery disabled should return a 202",
  "Populate registry with test tags (no push)",
];

/** A registry of its own for each run: the suite wants repositories that nobody has used. */
async function judge(
  settings: Readonly<Record<string, string>>,
  run: (registry: Awaited<ReturnType<typeof startRegistry>>) => Promise<Verdict>,
): Promise<Verdict> {
  const registry = await startRegistry(settings);
  try {
    return await run(registry);
  } finally {
    await registry.stop();
  }
}

function tell(title: string, { passed, failed, skipped }: Verdict): void {
  process.stdout.write(`${title}: ${passed} passed, ${failed.length} failed, ${skipped.length} skipped\n`);
}

const redesigned = findRedesignedSuite();
const former = findFormerSuite();

describe("the official conformance suite", () => {
  if (redesigned === undefined) {
    process.stdout.write(
      "The suite as redesigned in 2026 is not here: the Go module proxy does not serve it to this machine, or " +
        "scripts/install-tools.sh has not run. STOWAGE_CONFORMANCE=<path> names a binary of it.\n",
    );
  } else {
    test.each([
      { title: "version dev, default settings", settings: {}, sparse: false },
      { title: "version dev, sparse data", settings: { SPARSE_MANIFESTS: "all" }, sparse: true },
    ])("passes whole: $title", async ({ title, settings, sparse }) => {
      const verdict = await judge(settings, async (registry) => await runRedesignedSuite(redesigned, registry, sparse));
      tell(title, verdict);
      expect(verdict.failed, verdict.output).toEqual([]);
      expect(verdict.skipped, verdict.output).toEqual([]);
      expect(verdict.passed, verdict.output).toBeGreaterThan(500);
    });
  }

  if (former !== undefined) {
    test("passes whole: version 1.1, as of April 2026", async () => {
      const verdict = await judge({}, async (registry) => await runFormerSuite(former, registry));
      tell("version 1.1", verdict);
      expect(verdict.failed, verdict.output).toEqual([]);
      const unexpected = verdict.skipped.filter((name) => !FORMER_ALTERNATIVES.some((known) => name.endsWith(known)));
      expect(unexpected, verdict.output).toEqual([]);
      expect(verdict.passed, verdict.output).toBeGreaterThan(70);
    });
  }

  if (redesigned === undefined && former === undefined) {
    test("is installed", (context) => {
      const lack = "neither version of the suite is here: run scripts/install-tools.sh";
      if (process.env.CI === "true") expect.fail(lack);
      context.skip(lack);
    });
  }
});
