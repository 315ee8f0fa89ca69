import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isExecutable, PROJECT_ROOT } from "../support/paths.ts";
import { attempt } from "../support/run.ts";
import type { RegistryAccess } from "../support/server.ts";

/** What a run of the official suite came to. */
export interface Verdict {
  readonly passed: number;
  /** The names of the tests that did not pass, each with what the suite said. */
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  /** The end of what the suite printed, for whoever has to find out. */
  readonly output: string;
}

const OUTPUT_CHARACTERS = 6_000;

/**
 * The suite as redesigned in 2026, whose `dev` version tests the spec's main branch: the binary that STOWAGE_CONFORMANCE
 * names, or the one that scripts/install-tools.sh built. Undefined where neither is there.
 */
export function findRedesignedSuite(): string | undefined {
  const path = process.env.STOWAGE_CONFORMANCE ?? join(PROJECT_ROOT, ".cache/tools/bin/conformance");
  return isExecutable(path) ? path : undefined;
}

/** The suite as it was until then, for version 1.1 of the spec. Undefined where it was not built. */
export function findFormerSuite(): string | undefined {
  const path = join(PROJECT_ROOT, ".cache/tools/bin/conformance-1.1");
  return isExecutable(path) ? path : undefined;
}

/** Runs the redesigned suite with every API on. */
export async function runRedesignedSuite(binary: string, registry: RegistryAccess, sparse: boolean): Promise<Verdict> {
  return await runSuite(binary, (results) => ({
    OCI_REGISTRY: registry.host,
    OCI_TLS: "disabled",
    OCI_REPO1: "conformance/first",
    OCI_REPO2: "conformance/second",
    OCI_USERNAME: registry.username,
    OCI_PASSWORD: registry.password,
    OCI_VERSION: "dev",
    OCI_DATA_SPARSE: String(sparse),
    OCI_RESULTS_DIR: results,
  }));
}

/** Runs the former suite with all its workflows. */
export async function runFormerSuite(binary: string, registry: RegistryAccess): Promise<Verdict> {
  return await runSuite(binary, (results) => ({
    OCI_ROOT_URL: registry.url,
    OCI_NAMESPACE: "conformance/first",
    OCI_CROSSMOUNT_NAMESPACE: "conformance/second",
    OCI_USERNAME: registry.username,
    OCI_PASSWORD: registry.password,
    OCI_TEST_PULL: "1",
    OCI_TEST_PUSH: "1",
    OCI_TEST_CONTENT_DISCOVERY: "1",
    OCI_TEST_CONTENT_MANAGEMENT: "1",
    OCI_AUTOMATIC_CROSSMOUNT: "1",
    OCI_REPORT_DIR: results,
  }));
}

async function runSuite(binary: string, settings: (results: string) => NodeJS.ProcessEnv): Promise<Verdict> {
  const results = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const environment = { PATH: process.env.PATH, HOME: results, ...settings(results) };
    const { stdout, stderr } = await attempt(binary, [], { env: environment, cwd: results });
    // The suite ends with 0 even when it could not begin, and counts groups as tests: its leaves tell the truth.
    const report = await readFile(join(results, "junit.xml"), "utf8").catch(() => "");
    return { ...readReport(report), output: `${stdout}\n${stderr}`.trim().slice(-OUTPUT_CHARACTERS) };
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}

/** The test cases of a JUnit report: those with a `<skipped` or `<failure` or `<error` inside, and the others. */
export function readReport(xml: string): Omit<Verdict, "output"> {
  const cases = [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)].map(([, attributes, inner]) => ({
    name: /\bname="([^"]*)"/.exec(attributes ?? "")?.[1] ?? "",
    inner: inner ?? "",
  }));
  const having = (pattern: RegExp) => cases.filter(({ inner }) => pattern.test(inner)).map(({ name }) => name);
  const failed = having(/<(failure|error)\b/);
  const skipped = having(/<skipped\b/);
  return { passed: cases.length - failed.length - skipped.length, failed, skipped };
}
