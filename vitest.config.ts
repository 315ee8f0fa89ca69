import { availableParallelism } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    maxWorkers: "100%",
    // What a passing test logs is of no interest.
    silent: "passed-only",
    projects: [
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations("migrations"),
                ADMIN_PASSWORD: "correct horse battery staple",
                TOKEN_SECRET: "a secret of the tests that is long enough to sign with",
              },
            },
          })),
        ],
        test: {
          name: "worker",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/scripts/**", "test/simulation/**", "test/web/**"],
          // A worker of its own for each file costs seconds apiece. Tests keep apart by fresh repository names instead.
          isolate: false,
          // Far beyond any test: a busy machine is no failure.
          testTimeout: 30_000,
          hookTimeout: 60_000,
          globalSetup: ["test/scripts/support/build-page.ts"],
          setupFiles: ["test/support/apply-migrations.ts"],
        },
      },
      {
        // The local server, in processes of its own under Node.
        test: {
          name: "scripts",
          include: ["test/scripts/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // What the page knows, without the page.
        test: { name: "web", include: ["test/web/**/*.test.ts"] },
      },
      {
        // Histories of the real operations, in threads of their own under Node, over a simulated D1 and R2.
        test: {
          name: "simulation",
          include: ["test/simulation/**/*.test.ts"],
          // They take all cores already.
          fileParallelism: false,
          maxConcurrency: availableParallelism(),
          testTimeout: 600_000,
        },
      },
    ],
  },
});
