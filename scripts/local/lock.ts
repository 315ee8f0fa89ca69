import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { announce, readAnnouncement, withdraw } from "./announcement.ts";
import { Failure, reasonOf } from "./failure.ts";
import { isWorkerd, readPid } from "./workerd.ts";

/** How long a runtime whose server was killed may take to end: workerd.sh ends it within milliseconds. */
const ORPHAN_WAIT_MS = 5_000;
const SQLITE_BUSY = 5;

/** The one server's hold on a data folder. */
export interface Lock {
  /** Tells others where this server answers: server.json. */
  announce: (url: string) => void;
  release: () => void;
}

/**
 * Takes the data folder for this process. The lock is the kernel's, on an SQLite file: it ends with its process, however
 * that dies, so there are no stale locks, and a process id that was given again means nothing.
 */
export async function lockDataFolder(folder: string): Promise<Lock> {
  const database = takeLock(folder);
  await waitForOrphan(folder);
  return {
    announce: (url) => announce(folder, url),
    release: () => {
      withdraw(folder);
      database.close();
    },
  };
}

function takeLock(folder: string): DatabaseSync {
  try {
    const database = new DatabaseSync(join(folder, "lock"));
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) {
      throw new Failure(
        `${folder} is in use by ${describeHolder(folder)}: stop it, or choose another folder with --data`,
      );
    }
    throw new Failure(`cannot lock ${folder}: ${reasonOf(error)}; choose another folder with --data`);
  }
}

function describeHolder(folder: string): string {
  const holder = readAnnouncement(folder);
  return holder === undefined ? "another Stowage" : `another Stowage (process ${holder.pid}, ${holder.url})`;
}

/** After a server was killed, its runtime may live for a moment and hold port and data. */
async function waitForOrphan(folder: string): Promise<void> {
  const pid = readPid(folder);
  const deadline = Date.now() + ORPHAN_WAIT_MS;
  while (pid !== undefined && isWorkerd(pid)) {
    if (Date.now() > deadline) {
      throw new Failure(`process ${pid}, the runtime of a server that was killed, still runs on ${folder}: end it`);
    }
    await sleep(20);
  }
}
