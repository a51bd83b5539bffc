import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLedger } from "@wardline/audit-event";
import type { PolicyDocument } from "@wardline/policy-types";
import { afterEach, describe, expect, it } from "vitest";
import { faultyDisk } from "../chaos/support/disk.ts";
import { type Edge, startEdge } from "./support/edge.ts";

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

/** An edge whose audit log lies on a disk that can hang. */
async function start(durability: PolicyDocument["audit"]["durability"] & string) {
  const edge = await startEdge((policy) => ({
    ...policy,
    admin: { port: 0 },
    audit: { ...policy.audit, durability },
    door: { limit: 1_000_000, windowSeconds: 60 },
    tiers: { apps: { windows: [{ name: "apps", limit: 1_000_000, windowSeconds: 60, by: "client" }] } },
  }));
  const disk = await faultyDisk(edge.auditFolder);
  ended.push(() => disk.stop());
  return { edge, disk };
}

async function readiness(edge: Edge): Promise<{ status: number; said: Readonly<Record<string, unknown>> }> {
  const answer = await fetch(`http://127.0.0.1:${edge.adminPort}/readyz`);
  return { status: answer.status, said: (await answer.json()) as Record<string, unknown> };
}

const READY = { status: 200, said: { status: "ready", degraded: [] } };
const STUCK = { status: 503, said: { status: "audit-failed", degraded: ["audit"] } };

describe("a disk that hangs under the audit log", () => {
  it("F9, F12: answers nobody, is not ready meanwhile, and comes back by itself", async () => {
    const { edge, disk } = await start("before-response");
    expect((await edge.ask("/Patient/a")).status).toBe(200);
    expect(await readiness(edge)).toMatchObject(READY);
    disk.freeze();
    expect((await edge.ask("/Patient/a")).status).toBe(503);
    expect(await readiness(edge)).toMatchObject(STUCK);
    await disk.restore();
    await expect.poll(() => readiness(edge)).toMatchObject(READY);
    expect((await edge.ask("/Patient/a")).status).toBe(200);
  });

  it("F9, A15: with async audit, answers as many as it can record and refuses the others", async () => {
    const { edge, disk } = await start("async");
    disk.freeze();
    let answered = 0;
    let refused: string | undefined;
    const askOn = async (): Promise<void> => {
      while (refused === undefined) {
        const { status, text } = await edge.ask("/Patient/a");
        if (status === 200) answered++;
        else refused = text;
      }
    };
    await Promise.all(Array.from({ length: 16 }, askOn));
    expect(refused).toContain("audit-event/ledger-unavailable");
    expect(await readiness(edge)).toMatchObject(STUCK);
    await disk.restore();
    await expect.poll(() => readiness(edge)).toMatchObject(READY);
    await edge.gateway.close();
    expect(await readsRecorded(edge.auditFolder)).toBe(answered);
    expect(edge.events.filter(({ code }) => code === "gateway/audit-degraded")).toHaveLength(1);
  }, 60_000);
});

describe("a disk that hangs beside the audit log", () => {
  /** An edge that remembers usage, abuse and quotas, and what makes all their files hang. */
  async function startBesides() {
    process.env["STUCK_DISK_KEY"] = randomBytes(32).toString("base64url");
    const folder = await mkdtemp(join(tmpdir(), "edge-besides-"));
    // What hung is written once the disk is well again.
    ended.push(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }));
    const edge = await startEdge((policy) => ({
      ...policy,
      usage: { file: join(folder, "usage.ndjson"), key: "env:STUCK_DISK_KEY" },
      abuse: { key: "env:STUCK_DISK_KEY", history: { file: join(folder, "abuse"), intervalSeconds: 1 } },
      tiers: { apps: { quotas: [{ name: "contract", limit: 1000, per: "day", by: "client" }] } },
    }));
    const disks = await Promise.all([folder, join(edge.auditFolder, "quotas.json")].map(faultyDisk));
    for (const disk of disks) ended.unshift(() => disk.stop());
    return { edge, disks };
  }

  it("F10, F15: keeps neither the end nor its record from being written down", async () => {
    const { edge, disks } = await startBesides();
    expect((await edge.ask("/Patient/a")).status).toBe(200);
    for (const disk of disks) disk.freeze();
    await edge.gateway.close();
    expect(await lastSubtype(edge.auditFolder)).toBe("110121");
  });

  it("F12: is told, and keeps nobody waiting", async () => {
    const { edge, disks } = await startBesides();
    const told = (codes: readonly string[]): readonly string[] =>
      codes.filter((code) => edge.events.some((event) => event.code === code));
    const STUCK = ["gateway/abuse-monitor", "gateway/quotas-unwritten"];
    for (const disk of disks) disk.freeze();
    expect((await edge.ask("/Patient/a")).status).toBe(200);
    await expect.poll(() => told(STUCK), { timeout: 10_000 }).toEqual(STUCK);
    expect((await edge.ask("/Patient/a")).status).toBe(200);
    for (const disk of disks) await disk.restore();
    await expect.poll(() => told(["gateway/quotas-written"]), { timeout: 10_000 }).toHaveLength(1);
  }, 60_000);
});

/** DICOM 110121: "Application Stop". */
async function lastSubtype(folder: string): Promise<string | undefined> {
  let last: string | undefined;
  for await (const { event } of readLedger(folder)) {
    last = (event as { subtype?: readonly { code: string }[] }).subtype?.[0]?.code;
  }
  return last;
}

/** How many reads that were answered the log tells of. */
async function readsRecorded(folder: string): Promise<number> {
  let count = 0;
  for await (const { event } of readLedger(folder)) {
    const { subtype = [], outcome } = event as { subtype?: readonly { code: string }[]; outcome?: string };
    if (outcome === "0" && subtype.some(({ code }) => code === "read")) count++;
  }
  return count;
}
