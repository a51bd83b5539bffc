import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSightings } from "../src/shared/wire.ts";
import { addressKey } from "../src/watch/address.ts";
import { createPseudonyms, createSipHash } from "../src/watch/pseudonym.ts";
import { sightingOf } from "../src/watch/sighting.ts";
import { add, EXACT_UP_TO, estimate, NOTHING, type Sketch, union } from "../src/watch/sketch.ts";
import { createTable } from "../src/watch/table.ts";
import { countIn, countOf, type DistinctWindow, distinctIn } from "../src/watch/windows.ts";
import { record } from "./support/records.ts";
import { slowSipHash } from "./support/siphash.ts";

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index);

describe("keyed hashes", () => {
  function sipHash(key: Uint8Array, bytes: Uint8Array): bigint {
    const hash = createSipHash(key);
    hash.update(bytes);
    return (BigInt(hash.high()) << 32n) | BigInt(hash.low());
  }

  it.each([
    [0, 0x726fdb47dd0e0e31n],
    [1, 0x74f839c593dc67fdn],
    [15, 0xa129ca6149be45e5n],
  ])("SipHash-2-4 of the first %i bytes is the paper's", (length, expected) => {
    expect(sipHash(KEY, KEY.subarray(0, length))).toBe(expected);
  });

  it("SipHash-2-4 is what its definition says, for every key and text", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.uint8Array({ maxLength: 300 }), (key, bytes) => {
        expect(sipHash(key, bytes)).toBe(slowSipHash(key, bytes));
      }),
    );
  });

  it("S8: no other parts and no other key give the same name", () => {
    const pseudonyms = createPseudonyms(KEY);
    const name = pseudonyms.name("subject", "https://a", "b");
    expect(name).toMatch(/^[0-9a-f]{16}$/);
    expect(createPseudonyms(KEY).name("subject", "https://a", "b")).toBe(name);
    expect(createPseudonyms(KEY.map((byte) => byte + 1)).name("subject", "https://a", "b")).not.toBe(name);
    expect(pseudonyms.name("client", "https://a", "b")).not.toBe(name);
    expect(pseudonyms.name("subject", "https://ab", "")).not.toBe(name);
    expect(pseudonyms.name("subject", "", "https://ab")).not.toBe(name);
  });

  it("a client of the same name at another issuer is another client", () => {
    const pseudonyms = createPseudonyms(KEY);
    const first = pseudonyms.name("client", "https://a", "app");
    expect(pseudonyms.name("client", "https://b", "app")).not.toBe(first);
    expect(pseudonyms.name("client", "https://a", "app")).toBe(first);
  });

  it("names of every length and alphabet have a hash of their own", () => {
    const pseudonyms = createPseudonyms(KEY);
    const texts = ["", "é", "日本", "a".repeat(5000), `${"a".repeat(5000)}é`, "\u0000", "\ud83d\ude00"];
    expect(new Set(texts.map((text) => pseudonyms.name("subject", "", text))).size).toBe(texts.length);
  });
});

describe("sketches", () => {
  const pseudonyms = createPseudonyms(KEY);
  const sketchOf = (from: number, to: number): Sketch => {
    let sketch = NOTHING;
    for (let n = from; n < to; n++) sketch = add(sketch, pseudonyms.number("patient", `p-${n}`));
    return sketch;
  };

  it("are exact for what an ordinary caller reads", () => {
    for (const count of [0, 1, 2, EXACT_UP_TO]) expect(estimate(sketchOf(0, count))).toBe(count);
  });

  it.each([100, 500, 1000, 5000, 20_000, 100_000])("estimate %i within three standard errors (14 %)", (count) => {
    expect(Math.abs(estimate(sketchOf(0, count)) / count - 1)).toBeLessThan(0.14);
  });

  it("have a standard error near the 4.6 % that is promised", () => {
    const errors = Array.from(
      { length: 60 },
      (_, index) => estimate(sketchOf(index * 3000, index * 3000 + 3000)) / 3000 - 1,
    );
    const rms = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
    expect(rms).toBeGreaterThan(0.02);
    expect(rms).toBeLessThan(0.065);
  });

  it("do not grow beyond 512 bytes, and adding again changes nothing", () => {
    const sketch = sketchOf(0, 50_000);
    expect(sketch.length).toBe(512);
    expect(add(sketch, pseudonyms.number("patient", "p-7"))).toBe(sketch);
  });

  it.each([
    [0, 10, 5, 20, 20],
    [0, 40, 20, 60, 60],
    [0, 1000, 500, 1500, 1500],
    [0, 5, 0, 1000, 1000],
  ])("a union of %i-%i and %i-%i counts each thing once", (a, b, c, d, expected) => {
    expect(Math.abs(estimate(union(sketchOf(a, b), sketchOf(c, d))) / expected - 1)).toBeLessThan(0.14);
  });
});

describe("windows", () => {
  const WINDOW = 600;

  it("never count what is older than the window", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 80 }), (gaps) => {
        let at = 1_000_000_000;
        const times = gaps.map((gap) => (at += gap));
        let window = countIn(undefined, times[0] as number, WINDOW);
        for (const time of times.slice(1)) window = countIn(window, time, WINDOW);
        const last = times.at(-1) as number;
        expect(countOf(window)).toBeLessThanOrEqual(times.filter((time) => time > last - WINDOW * 1000).length);
        expect(countOf(window)).toBeGreaterThanOrEqual(
          times.filter((time) => time > last - WINDOW * 500).length > 0 ? 1 : 0,
        );
      }),
    );
  });

  it("count a steady rate in full at the end of each half", () => {
    let window = countIn(undefined, 0, WINDOW);
    for (let second = 1; second < 600; second++) window = countIn(window, second * 1000, WINDOW);
    expect(countOf(window)).toBe(600);
  });

  it("count a record that is late where they are", () => {
    const window = countIn(countIn(undefined, 10_000_000, WINDOW), 1, WINDOW);
    expect(countOf(window)).toBe(2);
  });

  it("count different things once, over both halves", () => {
    let window: DistinctWindow | undefined;
    for (const [at, hash] of [
      [0, 1],
      [1000, 1],
      [2000, 2],
      [300_000, 2],
      [301_000, 3],
    ] as const) {
      window = distinctIn(window, at, WINDOW, hash);
    }
    expect(window?.size).toBe(3);
    expect(distinctIn(window, 600_000, WINDOW, 9).size).toBe(3);
    expect(distinctIn(window, 1_200_000, WINDOW, 9).size).toBe(1);
  });
});

describe("the table", () => {
  it("never holds more than its limit, and always what was used last", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.nat(60), { maxLength: 300, size: "max" }),
        (limit, keys) => {
          const table = createTable<number>(limit);
          const recent: number[] = [];
          for (const key of keys) {
            table.set(String(key), key);
            recent.splice(
              0,
              recent.length,
              ...[key, ...recent.filter((one) => one !== key)].slice(0, Math.max(1, limit >> 1)),
            );
            expect(table.size).toBeLessThanOrEqual(Math.max(limit, 2));
          }
          for (const key of recent.slice(0, 1)) expect(table.get(String(key))).toBe(key);
        },
      ),
    );
  });

  it("keeps a caller that comes again and again, however many strangers come between", () => {
    const table = createTable<string>(100);
    table.set("regular", "here");
    for (let n = 0; n < 10_000; n++) {
      table.set(`stranger-${n}`, "gone");
      if (n % 20 === 0) expect(table.get("regular")).toBe("here");
    }
  });
});

describe("what another instance wrote", () => {
  const sighting = sightingOf(record(), {
    pseudonyms: createPseudonyms(KEY),
    addressKey: (address) => addressKey(address, 56),
  });

  it("is read as it was", () => {
    expect(parseSightings(JSON.stringify([sighting]))).toEqual([JSON.parse(JSON.stringify(sighting))]);
  });

  it.each<[string, object]>([
    ["a name in clear", { subject: "user-1" }],
    ["a pseudonym of another length", { client: "0123456789abcdef0" }],
    ["no pseudonym", { address: 7 }],
    ["no time", { at: "now" }],
    ["no list of patients", { patients: "p-1" }],
  ])("is left out with %s", (_what, changes) => {
    expect(parseSightings(JSON.stringify([{ ...sighting, ...changes }]))).toEqual([]);
  });
});

describe("S5: what counts as one address", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:0:0:0:0:0/56"],
    ["2001:db8:1:ff::1", "2001:db8:1:0:0:0:0:0/56"],
    ["2001:DB8:1:100::", "2001:db8:1:100:0:0:0:0/56"],
    ["fe80::1%eth0", "fe80:0:0:0:0:0:0:0/56"],
    ["::1", "0:0:0:0:0:0:0:0/56"],
    ["not:an:address", "not:an:address"],
    ["", ""],
  ])("%s is %s", (address, expected) => {
    expect(addressKey(address, 56)).toBe(expected);
  });

  it("a whole IPv6 address when every bit counts", () => {
    expect(addressKey("2001:db8::1", 128)).toBe("2001:db8:0:0:0:0:0:1/128");
  });
});
