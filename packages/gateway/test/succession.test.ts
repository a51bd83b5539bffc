import fc from "fast-check";
import { expect, it } from "vitest";
import { createSuccession } from "../src/controls/succession.ts";

const step = fc.oneof(
  fc.record({ kind: fc.constant("prepare" as const), settings: fc.constantFrom("a", "b", "c") }),
  fc.constant({ kind: "settle" as const }),
  fc.constant({ kind: "abandon" as const }),
);

it("F11: what is in force changes by settling alone, and whatever is made is in force, prepared, or given back once", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const succession = createSuccession<{ readonly settings: string }>();
      const made = new Set<object>();
      const given: object[] = [];
      let prepared: { readonly settings: string } | undefined;
      for (const one of steps) {
        const before = succession.current();
        if (one.kind === "prepare") {
          // A policy is assembled whole, and then comes into force or is refused.
          if (prepared !== undefined && prepared.settings !== one.settings) continue;
          const { settings } = one;
          prepared = succession.prepare(settings, () => {
            const kept = { settings };
            made.add(kept);
            return kept;
          });
          expect(prepared.settings).toBe(settings);
          expect(succession.current()).toBe(before);
          continue;
        }
        const back = one.kind === "settle" ? succession.settle() : succession.abandon();
        if (back !== undefined) given.push(back);
        expect(succession.current()).toBe(one.kind === "settle" ? (prepared ?? before) : before);
        prepared = undefined;
      }
      const still = new Set([succession.current(), prepared].filter((one) => one !== undefined));
      expect(new Set(given).size).toBe(given.length);
      expect(new Set([...given, ...still])).toEqual(made);
    }),
  );
});
