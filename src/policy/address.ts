/** Hostnames that lead nowhere else than to the own machine or network (RFC 6761, RFC 6762, and clouds' metadata). */
const PRIVATE_NAMES = /(^|\.)(localhost|local|internal|intranet|lan|home|home\.arpa|corp|onion)$/;

/** Each range of IPv4 addresses that is not public (IANA's special-purpose registry): its first address, and the bits that count. */
const PRIVATE_V4: readonly (readonly [first: string, bits: number])[] = [
  ...([
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
  ] as const),
  ...([
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.0.2.0", 24],
    ["192.88.99.0", 24],
    ["192.168.0.0", 16],
  ] as const),
  ...([
    ["198.18.0.0", 15],
    ["198.51.100.0", 24],
    ["203.0.113.0", 24],
    ["224.0.0.0", 4],
    ["240.0.0.0", 4],
  ] as const),
];

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isPrivateV4(address: string): boolean {
  const number = toNumber(address);
  return PRIVATE_V4.some(
    ([first, bits]) => Math.floor(number / 2 ** (32 - bits)) === Math.floor(toNumber(first) / 2 ** (32 - bits)),
  );
}

/** The eight groups of an address that URL has written, which is its shortest form. */
function groupsOf(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const parse = (text: string) =>
    text
      .split(":")
      .filter((group) => group !== "")
      .map((group) => parseInt(group, 16));
  const [before, after] = [parse(head), parse(tail ?? "")];
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

/** Only what is assigned for the public is (2000::/3), without tunnels and documentation; and IPv4 within IPv6 as that is. */
function isPrivateV6(address: string): boolean {
  const groups = groupsOf(address);
  const [first = 0, second = 0, , , , sixth = 0, high = 0, low = 0] = groups;
  const v4 = `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && sixth === 0xffff;
  const isTranslated = first === 0x64 && second === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  if (isMapped || isTranslated) return isPrivateV4(v4);
  if (first === 0x2002)
    return isPrivateV4(`${second >> 8}.${second & 255}.${(groups[2] ?? 0) >> 8}.${(groups[2] ?? 0) & 255}`);
  const isGlobal = first >> 13 === 1;
  const isSpecial = first === 0x2001 && (second < 0x200 || second === 0xdb8);
  return !isGlobal || isSpecial || (first === 0x3fff && second < 0x1000);
}

/**
 * Whether a URL's host is, by what it says itself, in a private network or on this machine: an address that is not public, or a name that
 * no public server has. What a public name resolves to is not looked at: that is for the network that the request leaves from.
 */
export function isPrivateHost({ hostname }: URL): boolean {
  if (hostname.startsWith("[")) return isPrivateV6(hostname.slice(1, -1));
  // URL writes every form of an IPv4 address, as 0x7f.1 is one, in this one.
  if (/^\d+\.\d+\.\d+\.\d+$/.test(hostname)) return isPrivateV4(hostname);
  const name = hostname.replace(/\.$/, "");
  return !name.includes(".") || PRIVATE_NAMES.test(name);
}
