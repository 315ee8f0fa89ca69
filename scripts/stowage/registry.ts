import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { Failure } from "../local/failure.ts";
import type { Environment } from "./environment.ts";
import { findLocalServer, isSameServer, type LocalServer } from "./local-server.ts";

/** The registry that a command is for. */
export interface Registry {
  /** Scheme, host and port alone. */
  readonly url: URL;
  /** Set when it is the one of a data folder on this machine. */
  readonly local: LocalServer | undefined;
}

/** How the command line names a registry. */
export interface RegistryOptions {
  readonly registry?: string;
  readonly data?: string;
}

/**
 * The nearest to the operator wins: `--registry`, `--data`, STOWAGE_URL, then the data folder of `npm start`.
 * @throws Failure where none is named or runs, and for one that a password must not be sent to.
 */
export function findRegistry(options: RegistryOptions, environment: Environment): Registry {
  const { server: local, problem } = findLocalServer(options.data, environment.folders);
  const fromEnvironment = options.data === undefined ? environment.env.STOWAGE_URL : undefined;
  const given = options.registry ?? (fromEnvironment === "" ? undefined : fromEnvironment);
  if (given !== undefined) {
    const url = parseAddress(given);
    return { url, local: local && isSameServer(url, local.url) ? local : undefined };
  }
  if (local) return { url: assertPrivate(local.url), local };
  if (problem !== undefined) {
    throw new Failure(
      `no registry is named that can be believed: ${problem}; make it your own alone, or give --registry URL`,
    );
  }
  if (options.data !== undefined) {
    throw new Failure(`no registry runs on ${options.data}: start it with npm start -- --data ${options.data}`);
  }
  throw new Failure("no registry is named: give --registry URL or set STOWAGE_URL, or start one here with npm start");
}

/** `registry.example.org`, `localhost:8787` or a URL. Without a scheme it is https, but http on the loopback. */
export function parseAddress(text: string): URL {
  const address = text.trim();
  const url = parseUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`);
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw misuse(`'${text}' is not the address of a registry: give one such as https://registry.example.org`);
  }
  if (url.username !== "" || url.password !== "") {
    throw misuse("an address holds no password: give it as STOWAGE_USERNAME and STOWAGE_PASSWORD");
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw misuse(`'${text}' has a path: a registry's address is scheme and host alone, such as ${url.origin}`);
  }
  if (!address.includes("://") && !isLoopback(url.hostname)) return new URL(`https://${address}`);
  return assertPrivate(url);
}

/** Whether a host is this machine by a name or address that no other machine can take. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** What is sent over plain http can be read on the way; what stays on this machine has no way. */
function assertPrivate(url: URL): URL {
  if (url.protocol === "https:" || isLoopback(url.hostname) || isOwnAddress(url.hostname)) return url;
  throw misuse(`no password goes to ${url.host} over plain http, where others can read it: use https://${url.host}`);
}

function isOwnAddress(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return Object.values(networkInterfaces()).some((own) => own?.some(({ address }) => address === host));
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function misuse(message: string): Failure {
  return new Failure(message, 2);
}
