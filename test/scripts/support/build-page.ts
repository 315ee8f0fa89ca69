import { buildWeb } from "../../../web/build.ts";

/** Vitest's global set-up: the Worker under test serves the page as it is now. */
export default async function buildPage(): Promise<void> {
  await buildWeb();
}
