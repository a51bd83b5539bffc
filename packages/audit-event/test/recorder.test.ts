import { describe, expect, it } from "vitest";
import type { Ledger } from "../src/ledger.ts";
import { createRecorder } from "../src/recorder.ts";

/** A ledger that keeps what it is given until it is told to answer. */
function recording() {
  const appended: string[][] = [];
  const told: string[] = [];
  const answers: ((failure?: Error) => void)[] = [];
  const ledger = {
    append: (events: readonly object[]) => {
      appended.push(events.map((event) => (event as { id: string }).id));
      return new Promise<void>((resolve, reject) => {
        answers.push((failure) => (failure === undefined ? resolve() : reject(failure)));
      });
    },
  } as unknown as Ledger;
  const crowd = { isCrowded: false };
  const onDegraded = ({ kind, unrecorded }: { kind: string; unrecorded: number }) =>
    void told.push(`${kind} ${unrecorded}`);
  const recorder = createRecorder(
    { appendDeadlineMs: 10_000, onDegraded },
    () => ledger,
    () => crowd.isCrowded,
  );
  return { crowd, recorder, appended, told, answers, event: (id: string) => () => [{ id }] };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("records of one turn of the event loop", () => {
  it("go into the ledger together, in order, and are recorded together", async () => {
    const { recorder, appended, answers, event } = recording();
    const recorded = [recorder.record(event("a")), recorder.record(event("b"))];
    expect(appended).toEqual([]);
    await turn();
    const next = recorder.record(event("c"));
    await turn();
    expect(appended).toEqual([["a", "b"], ["c"]]);
    answers[0]?.();
    expect(await Promise.all(recorded)).toEqual([true, true]);
    answers[1]?.();
    expect(await next).toBe(true);
  });

  it("F9: are all unrecorded when the ledger refuses them, and each is counted", async () => {
    const { recorder, told, answers, event } = recording();
    const recorded = ["a", "b", "c"].map((id) => recorder.record(event(id)));
    await turn();
    answers[0]?.(new Error("disk"));
    expect(await Promise.all(recorded)).toEqual([false, false, false]);
    expect(told).toEqual(["degraded 3"]);
  });

  it("S8: do not wait for the turn to end when there are many", () => {
    const { recorder, appended, event } = recording();
    for (let count = 0; count < 100; count++) void recorder.record(event(String(count)));
    expect(appended.map((group) => group.length)).toEqual([64]);
  });

  it("F9: do not share the fate of a neighbour that is too much for the ledger", async () => {
    const { recorder, appended, told, answers, event } = recording();
    const small = recorder.record(event("small"));
    const large = recorder.record(() => Array.from({ length: 500 }, (_, at) => ({ id: String(at) })));
    const later = recorder.record(event("later"));
    await turn();
    expect(appended.map((group) => group.length)).toEqual([1, 500, 1]);
    answers[1]?.(new Error("full"));
    answers[0]?.();
    answers[2]?.();
    expect(await Promise.all([small, large, later])).toEqual([true, false, true]);
    expect(told).toEqual(["degraded 500", "recovered 500"]);
  });

  it("F12: are no recovery while others are refused for what still waits", async () => {
    const { recorder, crowd, told, answers, event } = recording();
    recorder.failed("audit-event/ledger-full", 0);
    crowd.isCrowded = true;
    const first = recorder.record(event("a"));
    await turn();
    answers[0]?.();
    expect(await first).toBe(true);
    expect(told).toEqual(["degraded 0"]);
    crowd.isCrowded = false;
    const second = recorder.record(event("b"));
    await turn();
    answers[1]?.();
    expect(await second).toBe(true);
    expect(told).toEqual(["degraded 0", "recovered 0"]);
  });

  it("F15: are handed over before a ledger is closed", async () => {
    const { recorder, appended, answers, event } = recording();
    void recorder.record(event("last"));
    const flushed = recorder.flush();
    expect(appended).toEqual([["last"]]);
    answers[0]?.();
    await flushed;
    await recorder.flush();
    expect(appended).toEqual([["last"]]);
  });

  it("one that cannot be written down takes no other with it", async () => {
    const { recorder, appended, answers, event } = recording();
    const bad = recorder.record(() => {
      throw new Error("no such event");
    });
    const good = recorder.record(event("good"));
    expect(await bad).toBe(false);
    await turn();
    answers[0]?.();
    expect(await good).toBe(true);
    expect(appended).toEqual([["good"]]);
  });
});
