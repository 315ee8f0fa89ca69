import { resolveUrl } from "../distribution/url.ts";

/** Names and values by turns, as they came: scripts look for names in their exact case. */
export type RawHeaders = readonly string[];

/** RFC 9110, section 7.6.1: of one connection, and not to be passed on. `Expect` is answered by who reads the body. */
const HOP_BY_HOP = new Set([
  ...["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"],
  ...["te", "trailer", "transfer-encoding", "upgrade", "host", "expect"],
]);

/** The headers that are passed on, without those of the names (in lower case) given. */
export function passOn(headers: RawHeaders, ...without: readonly string[]): string[] {
  return pairs(headers).flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    return HOP_BY_HOP.has(lower) || without.includes(lower) ? [] : [name, value];
  });
}

/** The first value of a header, by its name in lower case. */
export function valueOf(headers: RawHeaders, wanted: string): string | undefined {
  return pairs(headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** An answer's headers, so that what leads to the registry leads back to where the request came. */
export function leadBack(headers: RawHeaders, registry: URL, here: string): string[] {
  return pairs(headers).flatMap(([name, value]) => [name, leadValueBack(name.toLowerCase(), value, registry, here)]);
}

function leadValueBack(name: string, value: string, registry: URL, here: string): string {
  switch (name) {
    case "location":
      return pathAt(value, registry) ?? value;
    case "link":
      return value.replace(/<([^>]*)>/g, (all, target: string) => {
        const path = pathAt(target, registry);
        return path === undefined ? all : `<${path}>`;
      });
    case "www-authenticate":
      return value.replace(/\brealm="([^"]*)"/, (all, realm: string) => {
        const path = pathAt(realm, registry);
        return path === undefined ? all : `realm="${here}${path}"`;
      });
    default:
      return value;
  }
}

/** What of an absolute URL on the registry is left without it; undefined for what is elsewhere, or no URL. */
function pathAt(target: string, registry: URL): string | undefined {
  if (!/^https?:\/\//i.test(target)) return undefined;
  const url = resolveUrl(target, registry);
  return url?.host === registry.host ? url.pathname + url.search : undefined;
}

function pairs(headers: RawHeaders): [name: string, value: string][] {
  return headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? ""]] : []));
}
