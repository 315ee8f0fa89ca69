import type { Progress } from "../transfer/progress.ts";
import { SILENCE } from "../transfer/progress.ts";
import type { Environment } from "./environment.ts";
import { formatSize } from "./text.ts";

/** Less than that is sent before a bar could be read. */
const SHOWN_BYTES_LEAST = 1_000_000;

/** A bar for each blob that is on its way, on a terminal; `stop` takes them away. Nothing elsewhere. One of unknown size stays empty. */
export async function showProgress({ stderr, env }: Environment): Promise<{ progress: Progress; stop: () => unknown }> {
  if (stderr.isTTY !== true || env.TERM === "dumb") return { progress: SILENCE, stop: () => undefined };
  const { MultiBar, Presets } = await import("cli-progress");
  const bars = new MultiBar(
    {
      stream: stderr,
      format: "{label}  {bar}  {sent} of {size}",
      barsize: 30,
      clearOnComplete: true,
      // Ctrl-C ends the program at once, and must find the terminal as it was.
      hideCursor: false,
      linewrap: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  const progress: Progress = {
    begin: (label, bytes) => {
      if (bytes !== undefined && bytes < SHOWN_BYTES_LEAST) return SILENCE.begin(label, bytes);
      const size = bytes === undefined ? "unknown" : formatSize(bytes);
      const bar = bars.create(bytes ?? 1, 0, { label, size, sent: formatSize(0) });
      return {
        at: (sent) => bar.update(bytes === undefined ? 0 : sent, { sent: formatSize(sent) }),
        end: () => void bars.remove(bar),
      };
    },
  };
  return { progress, stop: () => bars.isActive && bars.stop() };
}
