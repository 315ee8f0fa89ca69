import { isIPv6 } from "node:net";

/** `host:port` as in a URL. */
export function formatAddress(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** The address by which this machine reaches the server, also when it listens on all addresses. */
export function localAddress(host: string, port: number): string {
  if (host === "0.0.0.0") return formatAddress("127.0.0.1", port);
  return formatAddress(host === "::" ? "::1" : host, port);
}
