import { expect, it } from "vitest";
import { renderWeek, simulateWeek } from "./support/week.ts";

it("a small town's week: every attack is found, and hardly anybody is suspected without reason", async () => {
  const week = await simulateWeek({ seed: 11, callers: 1000 });
  console.log(renderWeek(week));
  expect(week.attacks.filter(({ found }) => found === undefined).map(({ attack }) => attack.name)).toEqual([]);
  expect(week.falsePerThousand).toBeLessThan(1);
}, 60_000);
