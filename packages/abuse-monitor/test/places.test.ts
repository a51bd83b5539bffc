import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Alert, abuseMonitor, readPlaces } from "../src/index.ts";
import { AT, record } from "./support/records.ts";

const HEAD = "network,geoname_id,latitude,longitude\n";
const at = (latitude: number, longitude: number): object => ({ latitude, longitude });

describe("a list of places", () => {
  const locate = readPlaces(
    `${HEAD}10.0.0.0/8,1,52.5,13.5\n10.1.0.0/16,2,48,11.5\n10.1.2.0/24,3,,\n2001:db8::/32,4,1,2\r\n2001:db8:1::/48,5,3,4\n0.0.0.0/32,6,-90,180\n`,
  );

  it.each<[string, object | undefined]>([
    ["10.0.0.0", at(52.5, 13.5)],
    ["10.255.255.255", at(52.5, 13.5)],
    ["10.1.0.0", at(48, 11.5)],
    ["10.1.255.255", at(48, 11.5)],
    ["10.2.0.0", at(52.5, 13.5)],
    ["10.1.2.7", undefined],
    ["10.1.3.0", at(48, 11.5)],
    ["11.0.0.0", undefined],
    ["9.255.255.255", undefined],
    ["0.0.0.0", at(-90, 180)],
    ["::ffff:10.1.0.1", at(48, 11.5)],
    ["2001:db8:2::1", at(1, 2)],
    ["2001:DB8:1:ffff::1", at(3, 4)],
    ["2001:db9::", undefined],
    ["fe80::1%eth0", undefined],
    ["not an address", undefined],
    ["", undefined],
  ])("%s is at %j", (address, place) => {
    expect(locate(address)).toEqual(place);
  });

  it("is read as looking through all of it would: the narrowest network counts", () => {
    const network = fc.record({ address: fc.nat(255), length: fc.integer({ min: 24, max: 32 }) });
    fc.assert(
      fc.property(fc.array(network, { maxLength: 30, size: "max" }), fc.nat(255), (networks, address) => {
        const seen = new Map<string, { first: number; length: number }>();
        for (const { address: one, length } of networks) {
          const first = one & ~((1 << (32 - length)) - 1);
          seen.set(`192.0.2.${first}/${length}`, { first, length });
        }
        const rows = [...seen].map(([name, { length }], index) => `${name},0,${length},${index}`);
        const expected = [...seen.values()]
          .filter(({ first, length }) => address >= first && address < first + 2 ** (32 - length))
          .reduce((most, { length }) => Math.max(most, length), 0);
        const locateIn = readPlaces(HEAD + rows.join("\n"));
        expect(locateIn(`192.0.2.${address}`)?.latitude).toBe(expected === 0 ? undefined : expected);
      }),
    );
  });

  it.each([
    ["no columns", "a,b\n"],
    ["nothing", ""],
    ["host bits", `${HEAD}10.0.0.1/8,1,1,1`],
    ["no length", `${HEAD}10.0.0.0,1,1,1`],
    ["half a position", `${HEAD}10.0.0.0/8,1,1,`],
    ["a place that is none", `${HEAD}10.0.0.0/8,1,91,0`],
    ["an IPv6 network narrower than a subscriber", `${HEAD}2001:db8::/65,1,1,1`],
    ["no network", `${HEAD}ten,1,1,1`],
  ])("with %s is refused", (_what, csv) => {
    expect(() => readPlaces(csv)).toThrow("places");
  });

  it("finds a journey nobody can make", () => {
    const alerts: Alert[] = [];
    const places = readPlaces(`${HEAD}192.0.2.0/24,1,52.5,13.4\n198.51.100.0/24,2,-33.9,151.2\n`);
    const monitor = abuseMonitor({ locate: places, onAlert: (alert) => alerts.push(alert) });
    monitor.see(record({ peerAddress: "192.0.2.1" }));
    monitor.see(record({ peerAddress: "198.51.100.1", receivedAt: AT + 600_000 }));
    expect(alerts.map(({ pattern }) => pattern)).toEqual(["impossible-travel"]);
  });
});
