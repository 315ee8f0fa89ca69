import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Announcement, announcementPath, readAnnouncement } from "../local/announcement.ts";
import { localAddress } from "../local/address.ts";
import { codeOf, reasonOf } from "../local/failure.ts";
import { ADMIN_PASSWORD, loadSecrets } from "../local/secrets.ts";

/** The server that `npm start` runs on a data folder. */
export interface LocalServer {
  /** The data folder, absolute. */
  readonly data: string;
  /** Where this machine reaches it. */
  readonly url: URL;
}

/** What the data folders tell; `problem` says why one is not believed, where none is. */
interface LocalFinding {
  readonly server?: LocalServer;
  readonly problem?: string;
}

/**
 * The server of the data folder `given`, or else of the first of the folders that has a `.stowage` with a server. The folder
 * may come from anywhere, and its server gets passwords: it must be the user's own, and its server one of this machine.
 */
export function findLocalServer(given: string | undefined, folders: readonly string[]): LocalFinding {
  const candidates = given === undefined ? folders.map((folder) => join(folder, ".stowage")) : [resolve(given)];
  let problem: string | undefined;
  for (const data of candidates) {
    const announced = readOwnAnnouncement(data);
    if (typeof announced === "string") problem ??= announced;
    if (typeof announced !== "object" || !URL.canParse(announced.url)) continue;
    const { protocol, hostname, port } = new URL(announced.url);
    if (protocol !== "http:") continue;
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    return { server: { data, url: new URL(`http://${localAddress(host, Number(port || "80"))}`) } };
  }
  return problem === undefined ? {} : { problem };
}

/** Undefined where there is none; why it is not believed, where others have a hand in it. */
function readOwnAnnouncement(data: string): Announcement | string | undefined {
  const path = announcementPath(data);
  let file: number | undefined;
  try {
    // Opened once and then looked at: who owns the folder above could put another there in between. A pipe must not block.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(file);
    if (!stats.isFile()) return undefined;
    return doubt(data, statSync(data)) ?? doubt(path, stats) ?? readAnnouncement(data, file);
  } catch (error) {
    return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR" ? undefined : reasonOf(error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function doubt(path: string, { uid, mode }: Stats): string | undefined {
  // Windows has no such numbers.
  const own = process.getuid?.();
  if (own === undefined) return undefined;
  if (uid !== own) return `${path} belongs to another user`;
  return (mode & 0o022) === 0 ? undefined : `${path} may be written by others`;
}

/** Whether two addresses are one server: the loopback has several names. */
export function isSameServer(one: URL, other: URL): boolean {
  return unify(one) === unify(other);
}

function unify(url: URL): string {
  const { protocol, hostname, port } = url;
  return `${protocol}//${hostname === "localhost" ? "127.0.0.1" : hostname}:${port}`;
}

/** The admin's password, and the file that holds it; undefined where `npm start` was given another one to use. */
export function readAdminPassword(data: string): { password: string; path: string } | undefined {
  const { values, path } = loadSecrets(data, []);
  const password = values[ADMIN_PASSWORD];
  return password === undefined ? undefined : { password, path };
}
