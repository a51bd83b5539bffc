import { expect, it } from "vitest";
import { renderWeek, simulateWeek } from "./support/week.ts";

// The full size, 10,000 callers, is bench/week.mjs.
it("a small town's week: every attack is found, and fewer than one in a thousand is suspected without reason", async () => {
  const week = await simulateWeek({ seed: 11, callers: 600, volume: 0.5 });
  console.log(renderWeek(week));
  expect(week.attacks.filter(({ found }) => found === undefined).map(({ attack }) => attack.name)).toEqual([]);
  expect(week.falsePerThousand).toBeLessThan(1);
}, 60_000);
