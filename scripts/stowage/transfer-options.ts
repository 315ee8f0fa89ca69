import type { Command } from "commander";
import { type Result } from "../transfer/batch.ts";
import type { Tally } from "../transfer/transfer.ts";
import { Failure } from "../local/failure.ts";
import { parseCount, parseSize } from "./arguments.ts";
import type { Session } from "./session.ts";
import { count, formatSize } from "./text.ts";

/** The options of commands that send images. */
export interface TransferOptions {
  readonly jobs: number;
  /** Bytes. */
  readonly chunkSize?: number;
  readonly plainHttp?: readonly string[];
  readonly dryRun?: boolean;
}

export function addTransferOptions(command: Command): Command {
  return command
    .option("--dry-run", "show what would be sent, and send nothing")
    .option("--jobs <number>", "blobs that are sent at once", parseCount, 4)
    .option(
      "--chunk-size <size>",
      "what one request holds at most (default: what the registry says, else 90MB)",
      parseSize,
    )
    .option("--plain-http <host>", "speak to this host without TLS, passwords too; may be repeated", collectText);
}

function collectText(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Shows what came of a run. @throws Failure where an image failed. */
export function showResults(session: Session, images: readonly Result[], tally: Tally, isDryRun: boolean): void {
  const failed = images.filter((image) => image.status === "failed");
  session.show({ images, ...tally, dryRun: isDryRun }, (output) => {
    const rows = images.map((image) => [
      image.source,
      image.destination,
      image.status === "failed" ? "failed" : describeStatus(image.status, isDryRun),
      image.status === "failed" ? "" : image.digest,
    ]);
    output.table(["Image", "To", "What", "Digest"], rows, "There is nothing to copy.");
    // What a dry run is for; after a real one it only accompanies the table.
    if (isDryRun) output.section(describeTally(tally, isDryRun));
    else output.note(describeTally(tally, isDryRun));
  });
  const [first] = failed;
  if (first === undefined) return;
  const rest = failed.length === 1 ? "" : ` (and ${count(failed.length - 1, "image")} more failed; --json says why)`;
  throw new Failure(first.message + rest);
}

function describeStatus(status: "copied" | "present", isDryRun: boolean): string {
  if (status === "present") return "there already";
  return isDryRun ? "would be copied" : "copied";
}

function describeTally({ manifests, blobs, bytes }: Tally, isDryRun: boolean): string {
  const sent = `${count(manifests.copied, "manifest")} and ${count(blobs.copied, "blob")} of ${formatSize(bytes)}`;
  const mounted = blobs.mounted === 0 ? "" : `, ${count(blobs.mounted, "blob")} mounted`;
  const present = manifests.present + blobs.present;
  const there = present === 0 ? "" : `; ${present} there already`;
  return `${isDryRun ? "Would copy" : "Copied"} ${sent}${mounted}${there}.`;
}
