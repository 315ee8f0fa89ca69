import { onTestFinished, vi } from "vitest";

/** All that the Worker logs from now on, till the end of the test. */
export function captureLogs(): readonly string[] {
  const lines: string[] = [];
  const spies = (["log", "info", "warn", "error", "debug"] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => void lines.push(parts.join(" "))),
  );
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return lines;
}
