import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDeadline } from "../src/deadline.ts";

const late = (): Error => new Error("late");
const never = (): Promise<never> => new Promise(() => undefined);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a deadline that many share", () => {
  it("gives what the work gives, and rejects as it rejects", async () => {
    const withDeadline = createDeadline(100, late);
    await expect(withDeadline(Promise.resolve(1))).resolves.toBe(1);
    await expect(withDeadline(Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("F2: gives up on each after its own time, whoever began before", async () => {
    const withDeadline = createDeadline(100, late);
    const ended: string[] = [];
    const note = (name: string, work: Promise<unknown>): void =>
      void withDeadline(work).then(
        () => ended.push(`${name} done`),
        () => ended.push(`${name} late`),
      );
    note("first", never());
    await vi.advanceTimersByTimeAsync(60);
    note("second", never());
    note("quick", Promise.resolve());
    await vi.advanceTimersByTimeAsync(39);
    expect(ended).toEqual(["quick done"]);
    await vi.advanceTimersByTimeAsync(2);
    expect(ended).toEqual(["quick done", "first late"]);
    await vi.advanceTimersByTimeAsync(60);
    expect(ended).toEqual(["quick done", "first late", "second late"]);
  });

  it("serves those who come after a silence longer than the deadline", async () => {
    const withDeadline = createDeadline(100, late);
    await withDeadline(Promise.resolve());
    await vi.advanceTimersByTimeAsync(1000);
    const lost = expect(withDeadline(never())).rejects.toThrow("late");
    await vi.advanceTimersByTimeAsync(101);
    await lost;
  });

  it("holds one timer for any number, and does not keep the process when nobody waits", async () => {
    const withDeadline = createDeadline(100, late);
    await Promise.all(Array.from({ length: 1000 }, () => withDeadline(Promise.resolve())));
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
    await vi.advanceTimersByTimeAsync(101);
    expect(vi.getTimerCount()).toBe(0);
  });
});
