import { verifyLedger } from "@wardline/audit-event";
import { describeWithRedis } from "@wardline-tools/test-kit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Breakage, FAULTS, isOpen, isWell, unexplained } from "./support/expected.ts";
import { KINDS, type Load, type Outcome, startLoad } from "./support/load.ts";
import { unrecorded } from "./support/recorded.ts";
import { forget, PARTS, startWorld, type World } from "./support/world.ts";

/** `npm run chaos` breaks all pairs in all ways; the suite each pair once, in another way each. */
const ALL = process.env["WARDLINE_CHAOS"] === "all";
/** How long both stay broken. After the first part of it, everything that was under way has met the fault. */
const SETTLING_MS = 700;
const BROKEN_MS = ALL ? 2500 : 1500;
/** A record that hangs is given up after two seconds. */
const HUNG_DISK_MS = 3500;

const pairs = PARTS.flatMap((one, index) => PARTS.slice(index + 1).map((other) => [one, other] as const));
const breakages: readonly Breakage[] = pairs.flatMap(([one, other], index): Breakage[] => {
  const ways = FAULTS.flatMap((first) =>
    FAULTS.map(
      (second): Breakage => [
        [one, first],
        [other, second],
      ],
    ),
  );
  const way = ways[index % ways.length];
  return ALL || way === undefined ? ways : [way];
});

const nameOf = (broken: Breakage): string => broken.map(([part, fault]) => `${part} ${fault}`).join(" and ");
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describeWithRedis("chaos", () => {
  let world: World;
  const all: Outcome[] = [];
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => forget(world));

  /** Until every kind of request is answered as it should be, several times in a row. */
  async function untilWell(load: Load): Promise<void> {
    const from = Date.now();
    await expect
      .poll(() => KINDS.filter((kind) => !hasRecovered(load.outcomes, kind, from)), { timeout: 60_000 })
      .toEqual([]);
  }

  it.each(breakages.map((broken) => [nameOf(broken), broken] as const))(
    "F1, F8, F9, F12: %s under load, is answered as the failure table says, and comes back by itself",
    async (_name, broken) => {
      const load = await startLoad(world);
      await untilWell(load);
      const brokenAt = Date.now();
      for (const [part, fault] of broken) await world.parts[part][fault]();
      const settledAt = Date.now() + SETTLING_MS;
      await pause(broken.some(([part, fault]) => part === "disk" && fault === "freeze") ? HUNG_DISK_MS : BROKEN_MS);
      const restoredAt = Date.now();
      for (const [part] of broken) await world.parts[part].restore();
      await untilWell(load);
      await load.stop();
      all.push(...load.outcomes);

      const begun = load.outcomes.filter(({ at }) => at >= brokenAt);
      expect([...new Set(begun.flatMap((outcome) => unexplained(outcome, broken) ?? []))]).toEqual([]);
      // What was asked and answered while both were down; later ones may have met a part that had come back.
      const down = begun.filter(({ at, until }) => at >= settledAt && until < restoredAt);
      expect(down.length).toBeGreaterThan(0);
      expect(down.filter((outcome) => isOpen(outcome, broken))).toEqual([]);
    },
    120_000,
  );

  it("A15: every answer of all that has its record, and the log is whole", async () => {
    expect(all.length).toBeGreaterThan(0);
    await world.stop();
    expect(await verifyLedger(world.folder)).toMatchObject({ ok: true });
    expect(await unrecorded(world.folder, all)).toEqual([]);
  }, 120_000);
});

const ENOUGH = 3;

function hasRecovered(outcomes: readonly Outcome[], kind: Outcome["kind"], from: number): boolean {
  const latest = outcomes.filter((outcome) => outcome.kind === kind && outcome.at >= from).slice(-ENOUGH);
  return latest.length === ENOUGH && latest.every(isWell);
}
