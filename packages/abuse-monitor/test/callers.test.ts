import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Callers, createCallers } from "../src/watch/callers.ts";
import { createPseudonyms } from "../src/watch/pseudonym.ts";
import { createTable, type Table } from "../src/watch/table.ts";

const pseudonyms = createPseudonyms(new Uint8Array(16).fill(3));
const pseudonym = (caller: number): string => pseudonyms.name("subject", "", String(caller));

function see(callers: Callers, caller: number, value: number): void {
  const found = callers.find(pseudonym(caller));
  callers.set(found < 0 ? callers.add(pseudonym(caller)) : found, caller % 3, value);
}

function seeInTable(table: Table<readonly unknown[]>, caller: number, value: number): void {
  const before = table.get(pseudonym(caller)) ?? [undefined, undefined, undefined];
  table.set(
    pseudonym(caller),
    before.map((old, column) => (column === caller % 3 ? value : old)),
  );
}

describe("what is known of callers", () => {
  it("is what a table of rows holds, in the same order, whatever is forgotten on the way", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.nat(200), { maxLength: 600, size: "max" }),
        (limit, seen) => {
          const callers = createCallers(limit, 3);
          const table = createTable<readonly unknown[]>(limit);
          for (const [index, caller] of seen.entries()) {
            see(callers, caller, index);
            seeInTable(table, caller, index);
          }
          expect([...callers.newestFirst()]).toEqual([...table.newestFirst()]);
          expect(callers.size).toBe(table.size);
        },
      ),
    );
  });

  it("S8: is bounded: never more than its limit, while a caller that comes again is kept", () => {
    const callers = createCallers(1000, 1);
    callers.set(callers.add(pseudonym(-1)), 0, "regular");
    for (let n = 0; n < 20_000; n++) {
      callers.set(callers.add(pseudonym(n)), 0, n);
      if (n % 200 === 0) expect(callers.get(callers.find(pseudonym(-1)), 0)).toBe("regular");
      expect(callers.size).toBeLessThanOrEqual(1000);
    }
    expect(callers.find(pseudonym(0))).toBe(-1);
  });

  it("who is taken out is known no more, and may come again", () => {
    const callers = createCallers(4, 2);
    for (let n = 0; n < 4; n++) callers.set(callers.add(pseudonym(n)), 1, n);
    expect(callers.take(pseudonym(0))).toEqual([undefined, 0]);
    expect(callers.take(pseudonym(3))).toEqual([undefined, 3]);
    expect(callers.take(pseudonym(3))).toBeUndefined();
    expect([callers.find(pseudonym(0)), callers.find(pseudonym(3)), callers.size]).toEqual([-1, -1, 2]);
    const row = callers.add(pseudonym(3), ["again", 4]);
    expect([callers.get(row, 0), callers.get(row, 1), callers.find(pseudonym(3)), callers.size]).toEqual([
      "again",
      4,
      row,
      3,
    ]);
  });

  it("can be gone through while more is seen: nobody twice, nobody who was forgotten", () => {
    const callers = createCallers(100, 1);
    for (let n = 0; n < 90; n++) callers.set(callers.add(pseudonym(n)), 0, n);
    const names: string[] = [];
    for (const [one] of callers.newestFirst()) {
      names.push(one);
      // The older generation is taken over, then replaced by strangers.
      callers.find(pseudonym(names.length));
      callers.set(callers.add(pseudonym(1000 + names.length)), 0, 0);
    }
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeLessThan(90);
  });

  it("tells callers apart whose pseudonyms begin or end alike", () => {
    const callers = createCallers(100, 1);
    const alike = ["0000000000000000", "0000000100000000", "0000000000000001", "ffffffff00000000", "00000000ffffffff"];
    for (const one of alike) callers.set(callers.add(one), 0, one);
    for (const one of alike) expect(callers.get(callers.find(one), 0)).toBe(one);
    expect(callers.find("0000000100000001")).toBe(-1);
    expect([...callers.newestFirst()].map(([one]) => one)).toEqual(alike.toReversed());
  });
});
