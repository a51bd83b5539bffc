import { expect, it } from "vitest";
import type { ExportJob, ExportJobStore } from "../../src/index.ts";

const now = 1_800_000_000;

export const JOB: ExportJob = {
  id: "j".repeat(32),
  owner: "o",
  types: ["Patient"],
  request: "https://fhir.example.org/fhir/$export",
  status: "$status?job=1",
  files: [{ kind: "output", type: "Patient", url: "files/1" }],
  until: now + 60,
};

export interface ExportStoreUnderTest {
  readonly store: ExportJobStore;
  /** Moves the store's clock. */
  readonly pass: (seconds: number) => void | Promise<void>;
}

/** What every export job store must do. `create` makes an empty one whose clock stands at `now`, in seconds. */
export function exportStoreContract(
  create: (now: number) => ExportStoreUnderTest | Promise<ExportStoreUnderTest>,
): void {
  it("keeps a job until its time, and its newest state", async () => {
    const { store, pass } = await create(now);
    await store.save(JOB);
    expect(await store.load(JOB.id)).toEqual(JOB);
    await store.save({ ...JOB, types: ["Observation"] });
    expect(await store.load(JOB.id)).toEqual({ ...JOB, types: ["Observation"] });
    await pass(61);
    expect(await store.load(JOB.id)).toBeUndefined();
  });

  it("does not bring back what is over", async () => {
    const { store } = await create(now);
    await store.save({ ...JOB, until: now - 1 });
    expect(await store.load(JOB.id)).toBeUndefined();
  });

  it("A8: updates a job that is there, and brings none back that was removed or is over", async () => {
    const { store, pass } = await create(now);
    await store.save(JOB);
    expect(await store.update?.({ ...JOB, files: [] })).toBe(true);
    expect(await store.load(JOB.id)).toEqual({ ...JOB, files: [] });
    await store.remove(JOB.id);
    expect(await store.update?.(JOB)).toBe(false);
    expect(await store.load(JOB.id)).toBeUndefined();
    await store.save(JOB);
    await pass(61);
    await store.update?.(JOB);
    expect(await store.load(JOB.id)).toBeUndefined();
  });

  it("gives nothing of a job that was removed, or never was", async () => {
    const { store } = await create(now);
    await store.save(JOB);
    await store.remove(JOB.id);
    await store.remove("never was");
    expect([await store.load(JOB.id), await store.load("x")]).toEqual([undefined, undefined]);
  });
}
