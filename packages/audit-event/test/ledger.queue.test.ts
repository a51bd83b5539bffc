import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { openLedger, readLedger, verifyLedger } from "../src/index.ts";
import { type Batch, Queue } from "../src/ledger/queue.ts";
import { WrittenEvents } from "../src/ledger/written-events.ts";
import { emptyFolder } from "./support/folders.ts";

const AT = { time: 0, at: "1970-01-01T00:00:00.000Z" };
const asItIs = (bytes: number): number => bytes;
const textsOf = ({ events }: Batch): string[] =>
  Array.from({ length: events.count }, (_, index) => String(events.textOf(index)));
const endless = (): object => {
  const event: Record<string, unknown> = { name: "Müller" };
  event["again"] = event;
  return event;
};

describe("the queue", () => {
  it("writes an event down when it is accepted", () => {
    const queue = new Queue(1024);
    const event = { n: 1, name: "Müller" };
    void queue.add([event, { n: 2 }], AT, asItIs);
    event.n = 7;
    const batch = queue.take();
    expect(textsOf(batch)).toEqual(['{"n":1,"name":"Müller"}', '{"n":2}']);
    expect(batch.pending.map(({ count, bytes }) => ({ count, bytes }))).toEqual([{ count: 2, bytes: 31 }]);
    expect(queue.bytes).toBe(31);
    queue.settle(31);
    expect(queue.bytes).toBe(0);
  });

  it("takes over what is written down already", () => {
    const queue = new Queue(1024);
    const written = new WrittenEvents();
    written.add([{ n: 1, name: "Müller" }, { n: 2 }]);
    void queue.add([{ n: 0 }], AT, asItIs);
    void queue.add(written, AT, asItIs);
    written.wipe();
    written.add([{ n: 8 }]);
    const batch = queue.take();
    expect(textsOf(batch)).toEqual(['{"n":0}', '{"n":1,"name":"Müller"}', '{"n":2}']);
    expect(batch.pending.map(({ count }) => count)).toEqual([1, 2]);
    expect(written.parse()).toEqual([{ n: 8 }]);
  });

  it.each([
    ["no object", [{ n: 1 }, [] as object]],
    ["without a text", [{ n: 1 }, { toJSON: () => undefined }]],
    ["one that holds itself", [{ n: 1 }, endless()]],
    ["too many bytes", [{ n: 1 }, { text: "Müller".repeat(200) }]],
  ])("accepts all or none: %s", (_name, events) => {
    const queue = new Queue(1024);
    void queue.add([{ n: 0 }], AT, asItIs);
    expect(() => queue.add(events, AT, asItIs)).toThrow();
    void queue.add([{ n: 2 }], AT, asItIs);
    expect(queue.bytes).toBe(14);
    const batch = queue.take();
    expect(textsOf(batch)).toEqual(['{"n":0}', '{"n":2}']);
  });

  it("F9: accepts all or none of what is written down already", () => {
    const queue = new Queue(1024);
    const written = new WrittenEvents();
    written.add([{ n: 1 }, { text: "x".repeat(1024) }]);
    expect(() => queue.add(written, AT, asItIs)).toThrow("queue is full");
    void queue.add([{ n: 2 }], AT, asItIs);
    expect(textsOf(queue.take())).toEqual(['{"n":2}']);
  });

  it("takes what comes while a batch is under way into the next, and wipes what is done", () => {
    const queue = new Queue(1024);
    void queue.add([{ n: 0 }], AT, asItIs);
    const first = queue.take();
    void queue.add([{ n: 1 }], AT, asItIs);
    const text = first.events.textOf(0);
    expect(String(text)).toBe('{"n":0}');
    queue.release(first);
    expect([...text]).toEqual(Array(7).fill(0));
    const second = queue.take();
    void queue.add([{ n: 2 }], AT, asItIs);
    expect(textsOf(second)).toEqual(['{"n":1}']);
    queue.release(second);
    expect(textsOf(queue.take())).toEqual(['{"n":2}']);
  });

  it("forgets what waits, and tells who waited", () => {
    const queue = new Queue(1024);
    void queue.add([{ n: 0 }], AT, asItIs);
    queue.release(queue.take());
    void queue.add([{ n: 1 }], AT, asItIs);
    expect(queue.abandon().map(({ count }) => count)).toEqual([1]);
    expect([queue.isEmpty, queue.bytes, textsOf(queue.take())]).toEqual([true, 0, []]);
  });
});

it("keeps an event whole that appends another while it is written down", async () => {
  const folder = await emptyFolder();
  const ledger = await openLedger({ folder });
  const inner = vi.fn();
  const event = {
    n: 0,
    get meanwhile() {
      ledger.append([{ n: 1 }]).catch(inner);
      return "asked";
    },
    end: true,
  };
  await ledger.append([event]);
  await setImmediate();
  expect(inner.mock.calls.flat()).toEqual([expect.any(TypeError)]);
  await ledger.append([{ n: 2 }]);
  await ledger.close();
  const events: unknown[] = [];
  for await (const entry of readLedger(folder)) events.push(entry.event);
  expect(events).toEqual([{ n: 0, meanwhile: "asked", end: true }, { n: 2 }]);
});

it("keeps events apart through many writes, small and large, of ASCII and not", async () => {
  const folder = await emptyFolder();
  const ledger = await openLedger({ folder, segmentBytes: 64 * 1024 });
  const events = Array.from({ length: 300 }, (_, n) => ({ n, text: "Mü🩺\u2028\ud800".repeat((n * 37) % 500) }));
  const written = events.map(async (event, n) => {
    for (let turn = 0; turn < n % 7; turn++) await setImmediate();
    return ledger.append(n % 5 === 0 ? [event, { n, and: "another" }] : [event]);
  });
  await Promise.all(written);
  await ledger.close();
  const seen: { n: number; text?: string }[] = [];
  for await (const { event } of readLedger(folder)) seen.push(event as { n: number; text?: string });
  expect(seen.filter(({ text }) => text !== undefined).sort((a, b) => a.n - b.n)).toEqual(events);
  expect(seen.length).toBe(360);
  expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 360 });
});
