import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPrivateHost } from "../../src/policy/address.ts";

const isPrivate = (host: string) => isPrivateHost(new URL(`https://${host}/`));

describe("a private host", () => {
  it.each([
    ...[
      "localhost",
      "LOCALHOST",
      "localhost.",
      "a.localhost",
      "registry",
      "nas.local",
      "db.internal",
      "x.home.arpa",
      "metadata.google.internal",
    ],
    ...[
      "127.0.0.1",
      "127.1",
      "0x7f.1",
      "2130706433",
      "0.0.0.0",
      "10.1.2.3",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "169.254.169.254",
    ],
    ...[
      "100.64.0.1",
      "192.0.2.1",
      "198.18.0.1",
      "198.51.100.7",
      "203.0.113.9",
      "224.0.0.1",
      "255.255.255.255",
      "0300.0250.1.1",
    ],
    ...[
      "[::1]",
      "[::]",
      "[fe80::1]",
      "[fc00::1]",
      "[fd12:3456::1]",
      "[ff02::1]",
      "[::ffff:10.0.0.1]",
      "[::ffff:7f00:1]",
    ],
    ...["[64:ff9b::a00:1]", "[2002:a00:1::]", "[2001:db8::1]", "[2001::1]", "[3fff::1]", "[::127.0.0.1]"],
  ])("is %s", (host) => {
    expect(isPrivate(host)).toBe(true);
  });

  it.each([
    ...["registry-1.docker.io", "ghcr.io", "localhost.example.org", "internal.example.org", "10.example.org"],
    ...[
      "8.8.8.8",
      "1.1.1.1",
      "172.15.0.1",
      "172.32.0.1",
      "192.167.1.1",
      "100.63.0.1",
      "100.128.0.1",
      "223.255.255.255",
    ],
    ...[
      "[2606:4700::1111]",
      "[2a00:1450:4001:81b::200e]",
      "[::ffff:8.8.8.8]",
      "[64:ff9b::808:808]",
      "[2002:808:808::]",
    ],
  ])("is not %s", (host) => {
    expect(isPrivate(host)).toBe(false);
  });

  it("is one in every way to write it", () => {
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(fc.constantFrom(10, 127), octet, octet, octet), ([a, b, c, d]) => {
        const number = ((a * 256 + b) * 256 + c) * 256 + d;
        const hex = (value: number) => `0x${value.toString(16)}`;
        for (const host of [
          `${a}.${b}.${c}.${d}`,
          String(number),
          hex(number),
          `${hex(a)}.0${b.toString(8)}.${c * 256 + d}`,
        ]) {
          expect(isPrivate(host)).toBe(true);
        }
        expect(isPrivate(`[::ffff:${a}.${b}.${c}.${d}]`)).toBe(true);
      }),
    );
  });
});
