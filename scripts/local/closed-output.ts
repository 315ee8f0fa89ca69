import { codeOf } from "./failure.ts";

/** Lets the process go on when nobody reads its output any more, as in `npm start | head`. */
export function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (codeOf(error) !== "EPIPE") throw error;
    });
  }
}
