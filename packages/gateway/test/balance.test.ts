import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRotation, retryBudget } from "../src/proxy/balance.ts";
import { targetsFrom } from "../src/proxy/discover.ts";

const target = (name: string, weight = 1, healthy = true): { name: string; weight: number; healthy: boolean } => ({
  name,
  weight,
  healthy,
});

describe("createRotation", () => {
  it("spreads the work evenly by weight", () => {
    const targets = [target("a", 3), target("b", 1)];
    const pick = createRotation<ReturnType<typeof target>>();
    const turn = Array.from({ length: 8 }, () => pick(targets)?.name).join("");
    expect(turn).toBe("aabaaaba");
  });

  it("over whole turns every server has had exactly its share", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }), (weights) => {
        const targets = weights.map((weight, index) => target(String(index), weight));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const pick = createRotation<(typeof targets)[number]>();
        const counts = new Map<string, number>();
        for (let round = 0; round < total * 3; round += 1) {
          const name = pick(targets)?.name ?? "";
          counts.set(name, (counts.get(name) ?? 0) + 1);
        }
        expect(targets.map(({ name }) => counts.get(name) ?? 0)).toEqual(weights.map((weight) => weight * 3));
      }),
    );
  });

  it("leaves out the unhealthy, unless all are", () => {
    const pick = createRotation<ReturnType<typeof target>>();
    const [a, b] = [target("a", 1, false), target("b")];
    expect([pick([a, b]), pick([a, b])]).toEqual([b, b]);
    expect(pick([a])).toBe(a);
  });

  it("picks another one, or none", () => {
    const pick = createRotation<ReturnType<typeof target>>();
    const [a, b] = [target("a"), target("b")];
    expect(pick([a, b], a)).toBe(b);
    expect(pick([a], a)).toBeUndefined();
  });
});

describe("retryBudget", () => {
  it("never lets more through than its share of requests and what it had saved", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (wanted) => {
        const budget = retryBudget(0.1);
        let spent = 0;
        for (const wants of wanted) {
          budget.earn();
          if (wants && budget.spend()) spent += 1;
        }
        expect(spent).toBeLessThanOrEqual(1 + wanted.length * 0.1);
      }),
    );
  });

  it("is nothing where the share is nothing", () => {
    const budget = retryBudget(0);
    budget.earn();
    expect(budget.spend()).toBe(false);
  });
});

describe("targetsFrom (RFC 2782)", () => {
  const base = new URL("https://ehr.example/r4/");

  it("takes the lowest priority number, with scheme and path of the base", () => {
    const records = [
      { name: "a.example.", port: 8443, priority: 10, weight: 60 },
      { name: "b.example", port: 443, priority: 10, weight: 0 },
      { name: "c.example", port: 443, priority: 20, weight: 5 },
    ];
    expect(targetsFrom(records, base)).toEqual([
      { url: "https://a.example:8443/r4", weight: 60 },
      { url: "https://b.example:443/r4", weight: 1 },
    ]);
  });

  it("takes a lone dot for no service", () => {
    expect(targetsFrom([{ name: ".", port: 0, priority: 0, weight: 0 }], base)).toEqual([]);
    expect(targetsFrom([], base)).toEqual([]);
  });
});
