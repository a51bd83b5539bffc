import { verifyLedger } from "@wardline/audit-event";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveApart, serveHere } from "./support/edge.ts";
import { type Traffic, traffic } from "./support/traffic.ts";
import { startWorld, type World } from "./support/world.ts";

/** `npm run soak`: so long, against `wardline serve`. In the suite: seconds, against the same edge in this process. */
const MINUTES = Number(process.env["WARDLINE_SOAK_MINUTES"] ?? 0);
const LONG = MINUTES > 0;
const LASTS_MS = LONG ? MINUTES * 60_000 : 15_000;
/** Asking an issuer about a key nobody knows is allowed each half minute. */
const KEYS_EVERY_MS = LONG ? 45_000 : LASTS_MS / 2;
const CERTIFICATE_EVERY_MS = LONG ? 30_000 : 5_000;
const POLICY_EVERY_MS = LONG ? 20_000 : 4_000;
const SHARE = 0.7;
const RSS_EVERY_MS = 1_000;
const MOST_GROWTH = 0.05;
/** Before this share of the time memory still fills what it keeps. */
const WARM = 0.3;

const DISK_LATE = "gateway/audit-degraded";

describe("soak", () => {
  let world: World;
  let load: Traffic;
  beforeAll(async () => {
    world = await startWorld(LONG ? serveApart : serveHere);
    load = traffic(world);
  });
  afterAll(async () => {
    load.close();
    await world.stop();
  });

  it(
    "F15: mixed traffic at 70 % of capacity, while keys, certificates and policy change: no error that is not explained",
    async () => {
      await load.capacity(1_000);
      const capacity = await load.capacity(LONG ? 10_000 : 2_000);
      const rss: number[] = [];
      const timers = [
        every(KEYS_EVERY_MS, () => world.rotateKeys()),
        every(CERTIFICATE_EVERY_MS, () => world.rotateCertificate()),
        every(POLICY_EVERY_MS, () => world.rotatePolicy()),
        every(RSS_EVERY_MS, () => {
          const bytes = world.edge.rssBytes();
          if (bytes !== undefined) rss.push(bytes);
        }),
      ];
      await load.steady(capacity * SHARE, LASTS_MS);
      for (const timer of timers) clearInterval(timer);

      const codes = count(world.edge.events.map(({ code }) => code));
      const growth = growthOf(rss);
      if (LONG)
        report({
          minutes: MINUTES,
          perSecond: Math.round(capacity * SHARE),
          answered: load.answered(),
          unrecordable: load.unrecordable(),
          codes,
          ...growth,
        });
      expect(Object.fromEntries(load.unexplained)).toEqual({});
      const errors = world.edge.events.filter(({ level }) => level === "error").map(({ code }) => code);
      // A disk that others keep busy may miss the deadline of a record: then, and only then, requests are refused for it.
      expect(errors.filter((code) => code !== DISK_LATE)).toEqual([]);
      expect(load.unrecordable() > 0).toBe(errors.length > 0);
      expect(codes["gateway/policy-changed"]).toBeGreaterThan(0);
      expect(codes["gateway/tls-reloaded"]).toBeGreaterThan(0);
      expect(await verifyLedger(world.auditFolder)).toMatchObject({ ok: true });
      if (growth !== undefined) expect(growth.growth).toBeLessThan(MOST_GROWTH);
    },
    LASTS_MS + 120_000,
  );
});

function every(milliseconds: number, what: () => Promise<void> | void): NodeJS.Timeout {
  return setInterval(() => void what(), milliseconds);
}

/** Medians of the first third once warm, and of the last: a garbage collection more or less is no growth. */
function growthOf(rss: readonly number[]): { growth: number; fromMiB: number; toMiB: number } | undefined {
  const warm = rss.slice(Math.floor(rss.length * WARM));
  if (warm.length < 30) return undefined;
  const third = Math.floor(warm.length / 3);
  const [from, to] = [median(warm.slice(0, third)), median(warm.slice(-third))];
  return { growth: to / from - 1, fromMiB: Math.round(from / 1024 ** 2), toMiB: Math.round(to / 1024 ** 2) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function count(words: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const word of words) found[word] = (found[word] ?? 0) + 1;
  return found;
}

function report(facts: object): void {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}
