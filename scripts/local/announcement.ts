import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";

const AnnouncementSchema = v.object({ pid: v.number(), url: v.string() });

/** Where the server of a data folder answers, and its process. */
export type Announcement = v.InferOutput<typeof AnnouncementSchema>;

/**
 * What the folder's server said of itself; a server that was killed leaves it behind. Undefined where none did. `file` is
 * the open file, where its reader has looked at whose it is.
 */
export function readAnnouncement(folder: string, file?: number): Announcement | undefined {
  try {
    return v.parse(AnnouncementSchema, JSON.parse(readFileSync(file ?? announcementPath(folder), "utf8")));
  } catch {
    return undefined;
  }
}

/** Tells others where this process serves the folder. They read it, and believe it as nobody else may write it. */
export function announce(folder: string, url: string): void {
  const announcement: Announcement = { pid: process.pid, url };
  withdraw(folder);
  writeFileSync(announcementPath(folder), `${JSON.stringify(announcement)}\n`, { mode: 0o600 });
}

/** Takes it back. */
export function withdraw(folder: string): void {
  rmSync(announcementPath(folder), { force: true });
}

/** The file of a data folder. */
export function announcementPath(folder: string): string {
  return join(folder, "server.json");
}
