import { defineConfig } from "vitest/config";

const MINUTE_MS = 60_000;

/** What the suites share: real programs, one at a time, with patience. */
const shared = {
  environment: "node",
  fileParallelism: false,
  testTimeout: 5 * MINUTE_MS,
  hookTimeout: 3 * MINUTE_MS,
} as const;

export default defineConfig({
  test: {
    maxWorkers: 1,
    projects: [
      {
        test: {
          ...shared,
          name: "clients",
          include: ["test/e2e/clients/**/*.test.ts"],
          globalSetup: ["test/e2e/support/global-setup.ts"],
        },
      },
      {
        test: {
          ...shared,
          name: "browser",
          include: ["test/e2e/browser/**/*.test.ts"],
          globalSetup: ["test/e2e/support/global-setup.ts"],
        },
      },
      {
        test: {
          ...shared,
          name: "conformance",
          include: ["test/e2e/conformance/**/*.test.ts"],
        },
      },
      {
        test: {
          ...shared,
          name: "soak",
          include: ["test/e2e/soak/**/*.test.ts"],
          globalSetup: ["test/e2e/support/global-setup.ts"],
        },
      },
    ],
  },
});
