/** One structured line. Fields are what an operator needs to find the cause; never a header, a token or a password. */
export function logError(event: string, error: unknown, fields: Readonly<Record<string, unknown>> = {}): void {
  const cause = error instanceof Error ? { error: error.message, stack: error.stack } : { error: String(error) };
  console.error(JSON.stringify({ level: "error", event, ...fields, ...cause }));
}

export function logInfo(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  console.info(JSON.stringify({ level: "info", event, ...fields }));
}

/** Waits for work that nothing depends on: a failure is logged, and that is all. */
export async function unlessItFails(event: string, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    logError(event, error);
  }
}
