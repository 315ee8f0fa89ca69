import { join, resolve } from "node:path";
import { readAnnouncement } from "../local/announcement.ts";
import { localAddress } from "../local/address.ts";
import { ADMIN_PASSWORD, loadSecrets } from "../local/secrets.ts";

/** The server that `npm start` runs on a data folder. */
export interface LocalServer {
  /** The data folder, absolute. */
  readonly data: string;
  /** Where this machine reaches it. */
  readonly url: URL;
}

/** The server of the data folder `given`, or else of the first of the folders that has a `.stowage` with a server. */
export function findLocalServer(given: string | undefined, folders: readonly string[]): LocalServer | undefined {
  const candidates = given === undefined ? folders.map((folder) => join(folder, ".stowage")) : [resolve(given)];
  for (const data of candidates) {
    const announced = readAnnouncement(data)?.url;
    if (announced === undefined || !URL.canParse(announced)) continue;
    const { protocol, hostname, port } = new URL(announced);
    // The folder may come from anywhere, and its server gets passwords: it must be one of this machine.
    if (protocol !== "http:") continue;
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    return { data, url: new URL(`http://${localAddress(host, Number(port || "80"))}`) };
  }
  return undefined;
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
