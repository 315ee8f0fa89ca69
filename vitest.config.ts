import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
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
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**"],
    // A worker of its own for each file costs seconds apiece. Tests keep apart by fresh repository names instead.
    isolate: false,
    maxWorkers: "100%",
    // Far beyond any test: a busy machine is no failure.
    testTimeout: 30_000,
    setupFiles: ["test/support/apply-migrations.ts"],
  },
});
