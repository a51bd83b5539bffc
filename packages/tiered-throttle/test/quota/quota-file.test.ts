import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask, listen } from "@wardline-tools/test-kit";
import express from "express";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openQuotaFile, type QuotaFile, type TieredThrottleOptions, tieredThrottle } from "../../src/index.ts";
import { bundle } from "../async/support/children.ts";

const START = Date.UTC(2026, 0, 15, 12);
const DAY_MS = 86_400_000;
const MONTHLY = { name: "contract", limit: 5, per: "month", by: "address" } as const;

let folder = "";
const file = (): string => join(folder, "quotas.json");
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quotas-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (now: number, more: Partial<Parameters<typeof openQuotaFile>[0]> = {}): Promise<QuotaFile> =>
  openQuotaFile({ file: file(), everyMs: 10, now: () => now, ...more });

/** A process of the edge: answers, and can say how many of so many requests it lets through. */
async function edge(
  quotaMemory: QuotaFile,
  now: number,
  options: TieredThrottleOptions = { quotas: [MONTHLY] },
): Promise<(count: number) => Promise<number>> {
  const app = express();
  app.use(tieredThrottle({ ...options, quotaMemory, now: () => now }), (_req, res) => void res.json({}));
  const origin = await listen(app);
  return async (count) => {
    let admitted = 0;
    for (let n = 0; n < count; n++) if ((await ask(origin)).status === 200) admitted += 1;
    return admitted;
  };
}

describe("quotas of one process, remembered in a file", () => {
  it("go on after a restart", async () => {
    const first = await at(START);
    expect(await (await edge(first, START))(3)).toBe(3);
    await first.close();
    const second = await at(START + DAY_MS);
    expect(await (await edge(second, START + DAY_MS))(9)).toBe(2);
    await second.close();
  });

  it("go on after a kill -9, but for the last moments", async () => {
    const program = await bundle(new URL("./support/counting.ts", import.meta.url));
    const child = spawn(process.execPath, [program, file()], { stdio: "inherit" });
    const usedNow = async (): Promise<number> =>
      (await openQuotaFile({ file: file() })).countsOf("tier", "contract", "address").get("owner")?.used ?? 0;
    for (let round = 0; round < 20; round++) {
      const before = await usedNow();
      await expect.poll(usedNow, { interval: 5 }).toBeGreaterThan(before);
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await usedNow()).toBeGreaterThan(0);
  });

  it("begin anew with the next period, with what may be carried", async () => {
    const options = { quotas: [{ ...MONTHLY, carry: 2 }] };
    const first = await at(START);
    expect(await (await edge(first, START, options))(9)).toBe(7);
    await first.close();
    const second = await at(START + 31 * DAY_MS);
    // All of the last month's own limit was used: nothing is carried.
    expect(await (await edge(second, START + 31 * DAY_MS, options))(9)).toBe(5);
    await second.close();
    const third = await at(START + 90 * DAY_MS);
    expect(await (await edge(third, START + 90 * DAY_MS, options))(9)).toBe(7);
    await third.close();
  });

  it("go on when their limit changes, and are one for all middlewares that have the tier", async () => {
    const memory = await at(START);
    const before = await edge(memory, START);
    const after = await edge(memory, START, { quotas: [{ ...MONTHLY, limit: 8 }] });
    const elsewhere = await edge(memory, START, { name: "other", quotas: [MONTHLY] });
    expect([await before(9), await after(9), await before(1), await elsewhere(9)]).toEqual([5, 3, 0, 5]);
    await memory.close();
  });

  it("A14: name nobody, and only the owner may read them", async () => {
    const memory = await at(START);
    await (await edge(memory, START))(1);
    await memory.close();
    expect(await readFile(file(), "utf8")).not.toContain("127.0.0.1");
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["quotas.json"]);
  });

  it("do not remember windows, nor what is over", async () => {
    const windows = [{ name: "burst", limit: 5, windowSeconds: 60, by: "address" as const }];
    const first = await at(START);
    await (await edge(first, START, { windows, quotas: [MONTHLY] }))(2);
    await first.close();
    expect(await readFile(file(), "utf8")).not.toContain("burst");
    const later = await at(START + 90 * DAY_MS);
    expect(later.countsOf("tier", "contract", "address").size).toBe(0);
  });

  it.each([
    ["not JSON", "{"],
    ["another form", '{"form":"wardline quotas 9","quotas":{}}'],
    ["a negative count", '{"form":"wardline quotas 1","quotas":{"q":[["o",-1,0,9,9,9]]}}'],
    ["nothing", ""],
  ])("F3: say that they cannot be understood: %s", async (_name, text) => {
    await writeFile(file(), text);
    await expect(at(START)).rejects.toMatchObject({ code: "tiered-throttle/quotas-unreadable" });
  });

  it("F12: say once that they cannot be written, count on, and write when it is possible again", async () => {
    const states: unknown[] = [];
    const memory = await at(START, { onState: (error) => states.push(error) });
    // A folder in its place cannot be renamed over.
    await mkdir(join(file(), "in-the-way"), { recursive: true });
    const calls = await edge(memory, START);
    expect(await calls(3)).toBe(3);
    await vi.waitFor(() => expect(states).toHaveLength(1));
    expect(await calls(9)).toBe(2);
    await expect(memory.flush()).rejects.toThrow();
    expect(states).toHaveLength(1);
    await rm(file(), { recursive: true });
    await vi.waitFor(() => expect(states).toHaveLength(2));
    expect(states[1]).toBe(undefined);
    await memory.close();
    expect(await (await edge(await at(START), START))(1)).toBe(0);
  });

  it("refuse a mistake in the options, and a memory beside a shared store", async () => {
    await expect(openQuotaFile({ file: "", everyMs: 1 })).rejects.toMatchObject({
      issues: [{ path: "file" }, { path: "everyMs" }],
    });
    const quotaMemory = await at(START);
    expect(() => tieredThrottle({ quotas: [MONTHLY], quotaMemory, redis: () => Promise.resolve(1) })).toThrow(
      /quotaMemory/,
    );
    expect(() => tieredThrottle({ quotas: [MONTHLY], quotaMemory: {} as never })).toThrow(/openQuotaFile/);
  });
});
