import type { TestProject } from "vitest/node";
import { registryUnderTest } from "./server.ts";
import type { RegistryAccess } from "./server.ts";

declare module "vitest" {
  interface ProvidedContext {
    registry: RegistryAccess;
  }
}

/** One registry for the whole suite, as in life: what one client leaves behind must not disturb the next. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const { url, host, username, password, stop } = await registryUnderTest().catch(failReadably);
  project.provide("registry", { url, host, username, password });
  return stop;
}

/** Vite's module runner trips over the stack traces of a global set-up and would hide the message behind its own error. */
function failReadably(error: unknown): never {
  if (error instanceof Error) error.stack = error.message;
  throw error;
}
