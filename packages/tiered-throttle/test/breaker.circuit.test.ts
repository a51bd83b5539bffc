import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Circuit, type CircuitPhase, createCircuit, type Report } from "../src/breaker/circuit.ts";
import { classifyAnswer, classifyError } from "../src/breaker/classify.ts";
import { createRetryBudget } from "../src/breaker/retry-budget.ts";
import { createOutcomeWindow } from "../src/breaker/window.ts";

function circuitOn(options: { probes?: number } = {}) {
  const clock = { ms: 1_000_000 };
  const phases: CircuitPhase[] = [];
  const circuit = createCircuit({
    windowMs: 10_000,
    minimumCalls: 10,
    errorRate: 0.5,
    slowRate: 0.8,
    openMs: 1000,
    maxOpenMs: 3000,
    probes: 1,
    now: () => clock.ms,
    onPhase: (phase) => phases.push(phase),
    ...options,
  });
  return {
    clock,
    circuit,
    phases,
    /** Makes calls one after the other; gives how many were let through. */
    calls: async (report: Report, times: number): Promise<number> => {
      let made = 0;
      for (let n = 0; n < times; n++)
        if ((await circuit.run(() => Promise.resolve({ report }))) !== undefined) made += 1;
      return made;
    },
  };
}

/** A call whose report comes when it is told. */
function begin(circuit: Circuit) {
  let tell: (report: Report) => void = () => undefined;
  const report = new Promise<Report>((resolve) => {
    tell = resolve;
  });
  const ended = circuit.run(async () => ({ report: await report }));
  return {
    end(how: Report) {
      tell(how);
      return ended;
    },
  };
}

describe("a circuit", () => {
  it.each<[string, readonly [Report, number][], CircuitPhase]>([
    ["too few calls say nothing", [["failed", 9]], "closed"],
    [
      "half of them failed",
      [
        ["good", 5],
        ["failed", 5],
      ],
      "open",
    ],
    [
      "fewer failed",
      [
        ["good", 6],
        ["failed", 5],
      ],
      "closed",
    ],
    [
      "most were slow",
      [
        ["good", 2],
        ["slow", 8],
      ],
      "open",
    ],
    [
      "fewer were slow",
      [
        ["good", 3],
        ["slow", 8],
      ],
      "closed",
    ],
    [
      "F13: what says nothing never opens, however much of it",
      [
        ["good", 1],
        ["none", 500],
        ["failed", 8],
      ],
      "closed",
    ],
  ])("%s", async (_what, story, phase) => {
    const { calls, circuit } = circuitOn();
    for (const [report, times] of story) await calls(report, times);
    expect(circuit.phase()).toBe(phase);
  });

  it("forgets what is older than its window", async () => {
    const { calls, circuit, clock } = circuitOn();
    await calls("failed", 9);
    clock.ms += 10_000;
    await calls("failed", 9);
    expect(circuit.phase()).toBe("closed");
    expect(circuit.counts()).toEqual({ calls: 9, failed: 9, slow: 0 });
  });

  it("open, makes no call until its pause is over, then one", async () => {
    const { calls, circuit, clock, phases } = circuitOn();
    await calls("failed", 10);
    expect([circuit.phase(), circuit.remainingMs()]).toEqual(["open", 1000]);
    clock.ms += 999;
    expect(await calls("good", 5)).toBe(0);
    clock.ms += 1;
    expect(await calls("good", 1)).toBe(1);
    expect(circuit.phase()).toBe("closed");
    expect(phases).toEqual(["open", "half-open", "closed"]);
  });

  it("a wall clock set back or forward changes nothing", async () => {
    const { calls, circuit, clock } = circuitOn();
    const real = Date.now;
    await calls("failed", 10);
    try {
      Date.now = () => real() + 3_600_000;
      expect(await calls("good", 1)).toBe(0);
      clock.ms += 1000;
      Date.now = () => real() - 3_600_000;
      expect(await calls("good", 1)).toBe(1);
    } finally {
      Date.now = real;
    }
    expect(circuit.phase()).toBe("closed");
  });

  it("refuses the others at once while a probe runs, however long it takes", async () => {
    const { calls, circuit, clock } = circuitOn();
    await calls("failed", 10);
    clock.ms += 1000;
    const probe = begin(circuit);
    expect(circuit.phase()).toBe("half-open");
    expect(await calls("good", 100)).toBe(0);
    await probe.end("good");
    expect(circuit.phase()).toBe("closed");
  });

  it.each<Report>(["failed", "slow"])(
    "a %s probe opens it again, for twice as long up to the longest",
    async (report) => {
      const { calls, circuit, clock } = circuitOn();
      await calls("failed", 10);
      const pauses = [circuit.remainingMs()];
      for (let times = 0; times < 3; times++) {
        clock.ms += circuit.remainingMs();
        await calls(report, 1);
        pauses.push(circuit.remainingMs());
      }
      expect(pauses).toEqual([1000, 2000, 3000, 3000]);
      clock.ms += 3000;
      await calls("good", 1);
      await calls("failed", 10);
      expect(circuit.remainingMs()).toBe(1000);
    },
  );

  it("a probe that says nothing neither closes it nor makes it wait", async () => {
    const { calls, circuit, clock } = circuitOn();
    await calls("failed", 10);
    clock.ms += 1000;
    expect(await calls("none", 1)).toBe(1);
    expect([circuit.phase(), circuit.remainingMs()]).toEqual(["open", 0]);
    expect(await calls("failed", 1)).toBe(1);
    expect([circuit.phase(), circuit.remainingMs()]).toEqual(["open", 2000]);
  });

  it("takes as many good probes as told, one at a time, and one bad one starts it over", async () => {
    const { calls, circuit, clock } = circuitOn({ probes: 3 });
    await calls("failed", 10);
    clock.ms += 1000;
    await calls("good", 2);
    expect(circuit.phase()).toBe("half-open");
    const probe = begin(circuit);
    expect(await calls("good", 3)).toBe(0);
    await probe.end("failed");
    expect([circuit.phase(), circuit.remainingMs()]).toEqual(["open", 2000]);
    clock.ms += 2000;
    await calls("good", 3);
    expect(circuit.phase()).toBe("closed");
  });

  it("what began before it opened neither closes nor opens it later", async () => {
    const { calls, circuit, clock } = circuitOn();
    const early = Array.from({ length: 30 }, () => begin(circuit));
    await calls("failed", 10);
    await early[0]?.end("good");
    expect(circuit.phase()).toBe("open");
    clock.ms += 1000;
    const probe = begin(circuit);
    await Promise.all(early.slice(1, 20).map((call) => call.end("failed")));
    expect(circuit.phase()).toBe("half-open");
    await probe.end("good");
    await Promise.all(early.slice(20).map((call) => call.end("failed")));
    expect(circuit.phase()).toBe("closed");
    expect(circuit.counts().calls).toBe(0);
  });

  it("a body that broke off counts", async () => {
    const { calls, circuit } = circuitOn();
    await calls("good", 5);
    for (let times = 0; times < 5; times++) circuit.note("failed");
    await Promise.resolve();
    await expect.poll(() => circuit.phase()).toBe("open");
  });

  it("opens for as long as another instance says, at most the longest, and then probes", async () => {
    const { calls, circuit, clock } = circuitOn();
    circuit.openFor(600_000);
    await expect.poll(() => circuit.phase()).toBe("open");
    expect(circuit.remainingMs()).toBe(3000);
    clock.ms += 3000;
    await calls("failed", 1);
    expect(circuit.remainingMs()).toBe(1000);
  });

  it("never opens on good calls and what says nothing, in any order", async () => {
    const reports = fc.array(fc.constantFrom<Report>("good", "none"), { maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(reports, async (story) => {
        const { circuit, calls } = circuitOn();
        for (const report of story) expect(await calls(report, 1)).toBe(1);
        expect(circuit.phase()).toBe("closed");
      }),
      { numRuns: 50 },
    );
  });
});

describe("what says something about an upstream", () => {
  it.each([
    [{ statusCode: 200 }, "good"],
    [{ statusCode: 404 }, "good"],
    [{ statusCode: 422 }, "good"],
    [{ statusCode: 429 }, "good"],
    [{ statusCode: 501 }, "good"],
    [{ statusCode: 505 }, "good"],
    [{ statusCode: 500 }, "failed"],
    [{ status: 503 }, "failed"],
    [{ status: "503" }, "good"],
    [undefined, "good"],
  ])("an answer %j: %s", (answer, verdict) => {
    expect(classifyAnswer(answer)).toBe(verdict);
  });

  it.each([
    [Object.assign(new Error("x"), { code: "ECONNREFUSED" }), "failed"],
    [Object.assign(new Error("x"), { code: "UND_ERR_SOCKET" }), "failed"],
    [Object.assign(new Error("x"), { code: "UND_ERR_INVALID_ARG" }), "ignored"],
    [Object.assign(new Error("x"), { code: "UND_ERR_ABORTED" }), "ignored"],
    [new DOMException("x", "AbortError"), "ignored"],
    ["x", "failed"],
    [undefined, "failed"],
  ])("an error %o: %s", (error, verdict) => {
    expect(classifyError(error)).toBe(verdict);
  });

  it("a window counts like a list of everything that happened", () => {
    const event = fc.record({
      wait: fc.integer({ min: 0, max: 400 }),
      outcome: fc.constantFrom("good", "slow", "failed"),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const window = createOutcomeWindow(1000);
        let now = 12_345;
        const all: { at: number; outcome: string }[] = [];
        for (const { wait, outcome } of events) {
          now += wait;
          window.add(outcome as "good", now);
          all.push({ at: now, outcome });
          // The window moves in tenths.
          const alive = all.filter(({ at }) => Math.floor(at / 100) > Math.floor(now / 100) - 10);
          const of = (name: string) => alive.filter((one) => one.outcome === name).length;
          expect(window.counts(now)).toEqual({ calls: alive.length, failed: of("failed"), slow: of("slow") });
        }
      }),
    );
  });

  it("retries are never more than their share of the calls, and one", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (events) => {
        const budget = createRetryBudget(0.1);
        let [calls, retries] = [0, 0];
        for (const isCall of events) {
          if (isCall) {
            calls += 1;
            budget.call();
          } else if (budget.spend()) retries += 1;
          expect(retries).toBeLessThanOrEqual(1 + calls * 0.1 + 1e-9);
        }
      }),
    );
    expect(createRetryBudget(0).spend()).toBe(false);
  });
});
