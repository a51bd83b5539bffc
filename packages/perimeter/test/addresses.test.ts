import type { IncomingMessage } from "node:http";
import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressMatcher, clientAddress, parseCidr } from "../src/index.ts";

describe("parseCidr", () => {
  it.each([
    ["10.0.0.0/8", [10, 0, 0, 0], 8],
    ["192.0.2.7", [192, 0, 2, 7], 32],
    ["::ffff:10.0.0.0/104", [10, 0, 0, 0], 8],
    ["::ffff:0a00:0001", [10, 0, 0, 1], 32],
    ["0.0.0.0/0", [0, 0, 0, 0], 0],
    ["2001:db8::/33", [0x20, 1, 0x0d, 0xb8, ...Array<number>(12).fill(0)], 33],
  ])("reads %s", (text, bytes, prefix) => {
    const cidr = parseCidr(text);
    expect(cidr).toEqual({ bytes: Uint8Array.from(bytes), prefix });
  });

  it.each([
    "",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0.1/8",
    "010.0.0.0/8",
    "10.0.0",
    "::/129",
    "2001:db8::1/64",
    "::ffff:10.0.0.0/95",
    "localhost",
    "10.0.0.0/8 ",
  ])("refuses %j", (text) => {
    expect(parseCidr(text)).toBe(undefined);
    expect(() => addressMatcher([text])).toThrow(RangeError);
  });
});

describe("S5: addresses are compared as bytes", () => {
  const render = (bytes: readonly number[]): string =>
    bytes.length === 4
      ? bytes.join(".")
      : Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] ?? 0) * 256 + (bytes[i * 2 + 1] ?? 0)).toString(16)).join(
          ":",
        );
  const flip = (bytes: readonly number[], bit: number): number[] =>
    bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte));
  const mask = (bytes: readonly number[], prefix: number): number[] =>
    bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))) & 0xff);

  it.each([4, 16])("agrees with node:net for addresses of %i bytes", (length) => {
    const byte = fc.nat({ max: 255 });
    const anyBytes = fc.array(byte, { minLength: length, maxLength: length });
    fc.assert(
      fc.property(anyBytes, fc.nat({ max: length * 8 }), fc.nat({ max: length * 8 - 1 }), (bytes, prefix, bit) => {
        const family = length === 4 ? "ipv4" : "ipv6";
        const list = new BlockList();
        list.addSubnet(render(mask(bytes, prefix)), prefix, family);
        const matches = addressMatcher([`${render(mask(bytes, prefix))}/${prefix}`]);
        for (const near of [render(bytes), render(flip(bytes, bit))]) {
          expect(matches(near)).toBe(list.check(near, family));
        }
      }),
    );
  });

  it("every spelling of an address is that address", () => {
    const matches = addressMatcher(["10.0.0.0/8", "fe80::/10"]);
    for (const same of ["10.1.2.3", "::ffff:10.1.2.3", "::FFFF:0a01:0203", "0:0:0:0:0:ffff:a01:203", "fe80::1%eth0"]) {
      expect([same, matches(same)]).toEqual([same, true]);
    }
    for (const other of ["11.0.0.1", "::10.1.2.3", "", "10.1.2", "x", undefined]) expect(matches(other)).toBe(false);
  });
});

describe("clientAddress", () => {
  const trusted = addressMatcher(["10.0.0.0/8"]);
  const from = (peer: string | undefined, header?: string): string | undefined =>
    clientAddress(
      {
        socket: { remoteAddress: peer },
        headers: header === undefined ? {} : { "x-forwarded-for": header },
      } as IncomingMessage,
      trusted,
    );

  it.each([
    ["a stranger's header is not read", "192.0.2.1", "10.9.9.9", "192.0.2.1"],
    ["one proxy", "10.0.0.1", "192.0.2.1", "192.0.2.1"],
    ["two proxies", "10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"],
    ["what stands left of the client is its own writing", "10.0.0.1", "10.7.7.7, 198.51.100.1, 192.0.2.1", "192.0.2.1"],
    ["a mapped peer", "::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"],
    ["a port", "10.0.0.1", "192.0.2.1:4711", "192.0.2.1"],
    ["a bracketed address", "10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"],
    ["all trusted: the farthest", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["no header", "10.0.0.1", undefined, "10.0.0.1"],
    ["an empty header", "10.0.0.1", " , ", "10.0.0.1"],
    ["no address", "10.0.0.1", "unknown", undefined],
    ["no peer", undefined, "192.0.2.1", undefined],
  ])("%s", (_what, peer, header, expected) => {
    expect(from(peer, header)).toBe(expected);
  });
});
