import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** Takes away what other test files left behind: for tests that look at everything that is stored. */
export async function emptyStorage(): Promise<void> {
  await reset();
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
  await emptyBucket();
}

/** Now and then the simulator's bucket still lists objects after its reset. */
async function emptyBucket(): Promise<void> {
  for (;;) {
    const { objects } = await env.BUCKET.list();
    if (objects.length === 0) return;
    await env.BUCKET.delete(objects.map(({ key }) => key));
  }
}
