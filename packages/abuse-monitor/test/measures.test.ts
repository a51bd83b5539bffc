import type { AccessRecord } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Alert, abuseMonitor, DEFAULT_THRESHOLDS, type MeasureChange, type Response } from "../src/index.ts";
import { later, type Measure, measureId, parseMeasure } from "../src/measures/measure.ts";
import { createMeasures } from "../src/measures/operate.ts";
import { mayReplace, measureFor } from "../src/measures/respond.ts";
import { createMeasureStore } from "../src/measures/store.ts";
import type { Sighting } from "../src/watch/sighting.ts";
import { stranger } from "./support/records.ts";

const AT = 1_768_208_400_000;
const WHOM = { kind: "subject", pseudonym: "00112233445566aa" } as const;
const NOTE = { operator: "ops-1", because: "a false alarm" };
const PROTECTION = { zones: ["device"], apiTypes: ["prior-authorization"], lifted: false };

const measure = (changes: Partial<Measure> = {}): Measure => ({
  action: "block",
  whom: WHOM,
  state: "active",
  since: AT,
  until: AT + 60_000,
  changedAt: AT,
  by: "policy",
  because: "bulk-access",
  ...changes,
});
const alert = (changes: Partial<Alert> = {}): Alert => ({
  id: "a-1",
  pattern: "bulk-access",
  severity: "high",
  at: AT,
  whom: WHOM,
  summary: "",
  findings: [],
  requestId: "r",
  suppressed: 0,
  ...changes,
});
const sighting = (changes: Partial<Sighting> = {}): Sighting =>
  ({ at: AT, zone: "internal", apiType: "clinical", breakGlass: false, system: false, ...changes }) as Sighting;

describe("what the policy does about an alert", () => {
  const respond = (response: Response, seen: Partial<Sighting> = {}, told: Partial<Alert> = {}) =>
    measureFor(alert(told), sighting(seen), { "bulk-access": response }, PROTECTION);

  it("nothing, unless it says so", () => {
    expect(measureFor(alert(), sighting(), {}, PROTECTION)).toBeUndefined();
    expect(respond({ action: "tell" })).toBeUndefined();
    expect(respond({ action: "block", from: "critical" })).toBeUndefined();
  });

  it("a block for a time", () => {
    expect(respond({ action: "block", seconds: 60 })).toMatchObject({
      action: "block",
      state: "active",
      until: AT + 60_000,
    });
  });

  it("a cost for each request", () => {
    expect(respond({ action: "slow-down", cost: 5 })).toMatchObject({
      action: "slow-down",
      cost: 5,
      until: AT + 900_000,
    });
  });

  it.each([
    ["a break-glass user", { breakGlass: true }],
    ["a device", { zone: "device" }],
    ["prior authorisation", { apiType: "prior-authorization" }],
  ] as const)("only proposes to block or step up %s: that needs a human", (_name, seen) => {
    expect(respond({ action: "block" }, seen)?.state).toBe("proposed");
    expect(respond({ action: "step-up" }, seen)?.state).toBe("proposed");
    expect(respond({ action: "slow-down" }, seen)?.state).toBe("active");
    const lifted = { ...PROTECTION, lifted: true };
    expect(measureFor(alert(), sighting(seen), { "bulk-access": { action: "block" } }, lifted)?.state).toBe("active");
  });

  it("only proposes a step-up of a system, which cannot log in again", () => {
    expect(respond({ action: "step-up" }, { system: true })?.state).toBe("proposed");
  });

  it("never locks out a name that somebody else tried", () => {
    const whom = { kind: "claimed", pseudonym: WHOM.pseudonym } as const;
    expect(respond({ action: "block" }, {}, { whom })).toBeUndefined();
  });

  it.each(["slow-down", "block"] as const)(
    "no %s of an app for the logins that somebody else tried in its name",
    (action) => {
      const monitor = abuseMonitor({ responses: { "credential-stuffing": { action } } });
      const told: AccessRecord[] = [];
      for (let n = 0; n < 2 * DEFAULT_THRESHOLDS.credentialStuffing.clientFailures; n++) {
        told.push(
          stranger({
            method: "POST",
            interaction: "unknown",
            receivedAt: Date.now(),
            peerAddress: `203.0.${n % 250}.1`,
            signIn: { issuer: "https://id.example", endpoint: "token", clientId: "app" },
          }),
        );
      }
      for (const record of told) monitor.see(record);
      expect(monitor.snapshot()).toMatchObject({ alerts: 1, measures: 0 });
    },
  );
});

describe("measures of several instances", () => {
  const anyMeasure = fc.record({
    changedAt: fc.integer({ min: AT, max: AT + 5 }),
    by: fc.constantFrom("policy" as const, "operator" as const),
    state: fc.constantFrom("active" as const, "lifted" as const),
    until: fc.integer({ min: AT + 10, max: AT + 20 }),
  });

  it("end in the same state in whichever order they arrive", () => {
    fc.assert(
      fc.property(fc.array(anyMeasure, { minLength: 1, maxLength: 6 }), (changes) => {
        const stateAfter = (order: typeof changes) => {
          const store = createMeasureStore(() => AT, 10);
          for (const change of order) store.put(measure(change));
          const held = store.get(measureId(measure()));
          return [held?.changedAt, held?.by, held?.until];
        };
        expect(stateAfter([...changes].reverse())).toEqual(stateAfter(changes));
      }),
    );
  });

  it("of the same moment: the operator's holds", () => {
    const [ours, theirs] = [measure({ by: "operator" }), measure({ until: AT + 99_999 })];
    expect(later(ours, theirs)).toBe(ours);
    expect(later(theirs, ours)).toBe(ours);
  });

  it.each([
    ["no JSON", "{"],
    ["null", "null"],
    ["an unknown action", JSON.stringify({ ...measure(), action: "delete" })],
    ["an unknown state", JSON.stringify({ ...measure(), state: "eternal" })],
    ["a name in clear", JSON.stringify({ ...measure(), whom: { kind: "subject", pseudonym: "dr-smith" } })],
    ["an end that is no number", JSON.stringify({ ...measure(), until: "never" })],
    ["a cost below one", JSON.stringify({ ...measure(), cost: 0 })],
    ["no reason", JSON.stringify({ ...measure(), because: undefined })],
  ])("%s is not taken from the store", (_name, text) => {
    expect(parseMeasure(JSON.stringify(measure()))).toEqual(measure());
    expect(parseMeasure(text)).toBeUndefined();
  });
});

describe("the store of measures", () => {
  it("forgets what has run out", () => {
    let now = AT;
    const store = createMeasureStore(() => now, 10);
    store.put(measure());
    expect(store.active("block", "subject", WHOM.pseudonym)).toBeDefined();
    now = AT + 60_000;
    expect(store.active("block", "subject", WHOM.pseudonym)).toBeUndefined();
    expect([store.list(), store.isEmpty()]).toEqual([[], true]);
  });

  it("is bounded: what runs out first gives way", () => {
    const store = createMeasureStore(() => AT, 3);
    const of = (n: number, seconds: number) =>
      measure({ whom: { kind: "subject", pseudonym: n.toString(16).padStart(16, "0") }, until: AT + seconds });
    for (const [n, seconds] of [
      [1, 30],
      [2, 10],
      [3, 20],
      [4, 40],
    ] as const)
      store.put(of(n, seconds));
    expect(store.list().map(({ until }) => until - AT)).toEqual([30, 20, 40]);
  });

  it("knows who is meant: not another action, kind or caller", () => {
    const store = createMeasureStore(() => AT, 10);
    store.put(measure());
    expect(store.active("step-up", "subject", WHOM.pseudonym)).toBeUndefined();
    expect(store.active("block", "client", WHOM.pseudonym)).toBeUndefined();
    expect(store.active("block", "subject", "ff112233445566aa")).toBeUndefined();
    expect(store.active("block", "subject", undefined)).toBeUndefined();
  });
});

describe("the operator", () => {
  function desk() {
    let now = AT;
    const changes: MeasureChange[] = [];
    const store = createMeasureStore(() => now, 100);
    const measures = createMeasures(store, { now: () => now, overrideSeconds: 3600 }, (change) => changes.push(change));
    return { store, measures, changes, wait: (ms: number) => (now += ms) };
  }

  it("lifts a block, and the policy may not put it back for an hour", () => {
    const { store, measures, changes, wait } = desk();
    store.put(measure());
    expect(measures.lift(measureId(measure()), NOTE)).toBe(true);
    expect(store.active("block", "subject", WHOM.pseudonym)).toBeUndefined();
    expect(mayReplace(store.get(measureId(measure())))).toBe(false);
    expect(changes).toMatchObject([{ kind: "lifted", measure: { operator: "ops-1", because: "a false alarm" } }]);
    wait(3_600_000);
    expect(mayReplace(store.get(measureId(measure())))).toBe(true);
  });

  it("confirms what the policy only proposed", () => {
    const { store, measures, changes } = desk();
    store.put(measure({ state: "proposed" }));
    expect(store.active("block", "subject", WHOM.pseudonym)).toBeUndefined();
    expect(measures.confirm(measureId(measure()), NOTE)).toBe(true);
    expect(store.active("block", "subject", WHOM.pseudonym)).toMatchObject({ by: "operator" });
    expect(changes.map(({ kind }) => kind)).toEqual(["confirmed"]);
    expect(measures.confirm(measureId(measure()), NOTE)).toBe(false);
  });

  it("overrides what an instance with a fast clock wrote", () => {
    const { store, measures } = desk();
    store.put(measure({ changedAt: AT + 30_000 }));
    measures.lift(measureId(measure()), NOTE);
    expect(store.get(measureId(measure()))?.state).toBe("lifted");
  });

  it("blocks whom it wants, and lists it", () => {
    const { measures } = desk();
    measures.impose(WHOM, { ...NOTE, seconds: 60 });
    expect(measures.list()).toMatchObject([
      { id: "block/subject/00112233445566aa", by: "operator", until: AT + 60_000 },
    ]);
  });

  it.each([
    ["without a name", { operator: " ", because: "x" }],
    ["without a reason", { operator: "x", because: "" }],
  ])("decides nothing %s", (_name, note) => {
    const { store, measures } = desk();
    store.put(measure());
    expect(() => measures.lift(measureId(measure()), note)).toThrow(TypeError);
    expect(() => measures.impose(WHOM, note)).toThrow(TypeError);
    expect(store.active("block", "subject", WHOM.pseudonym)).toBeDefined();
  });

  it.each([
    ["a name in clear", { kind: "subject", pseudonym: "dr-smith" }, {}],
    ["a claimed name", { kind: "claimed", pseudonym: WHOM.pseudonym }, {}],
    ["an unknown action", WHOM, { action: "delete" }],
    ["no time", WHOM, { seconds: 0 }],
    ["no cost", WHOM, { action: "slow-down", cost: 1 }],
  ])("cannot block %s", (_name, whom, changes) => {
    const { measures } = desk();
    expect(() => measures.impose(whom as never, { ...NOTE, ...(changes as object) })).toThrow(RangeError);
  });

  it("lifts nothing that is not there", () => {
    expect(desk().measures.lift("block/subject/0011223344556677", NOTE)).toBe(false);
  });
});
