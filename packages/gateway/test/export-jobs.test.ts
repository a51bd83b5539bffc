import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExportJob } from "@wardline/smart-auth";
import { expect, it, onTestFinished } from "vitest";
import { openFolderExportJobs } from "../src/state/export-jobs.ts";

const START = 1_800_000_000;
const JOB: ExportJob = {
  id: "j".repeat(32),
  owner: "o",
  types: ["Patient"],
  request: "https://fhir.example.org/fhir/$export",
  status: "_async/1",
  files: [],
  until: START + 60,
};

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "export-jobs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const at = (seconds: number) => ({ now: () => (START + seconds) * 1000 });

it("an export is found again by the next process, in its newest state", async () => {
  const folder = join(await emptyFolder(), "new");
  const store = await openFolderExportJobs(folder, at(0));
  await store.save(JOB);
  const files = [{ kind: "output", type: "Patient", url: "_async/1/0" }] as const;
  await store.save({ ...JOB, files });
  const next = await openFolderExportJobs(folder, at(59));
  expect(await next.load(JOB.id)).toEqual({ ...JOB, files });
  expect(await next.load("k".repeat(32))).toBe(undefined);
});

it("A8: what is there is updated, and nothing that was removed comes back", async () => {
  const folder = await emptyFolder();
  const store = await openFolderExportJobs(folder, at(0));
  await store.save(JOB);
  expect(await store.update?.({ ...JOB, types: [] })).toBe(true);
  expect(await store.load(JOB.id)).toEqual({ ...JOB, types: [] });
  const late = store.update?.(JOB);
  await store.remove(JOB.id);
  expect(await late).toBe(false);
  expect(await store.update?.(JOB)).toBe(false);
  expect([await store.load(JOB.id), await readdir(folder)]).toEqual([undefined, []]);
});

it("what was removed or is over is found by nobody, and leaves no file", async () => {
  const folder = await emptyFolder();
  const store = await openFolderExportJobs(folder, at(0));
  await store.save(JOB);
  await store.remove(JOB.id);
  await store.remove("never-was");
  expect([await store.load(JOB.id), await readdir(folder)]).toEqual([undefined, []]);
  await store.save(JOB);
  expect(await (await openFolderExportJobs(folder, at(60))).load(JOB.id)).toBe(undefined);
  expect(await readdir(folder)).toEqual([]);
});

it("S8: full of exports that count it rejects; one that is over makes room", async () => {
  let seconds = 0;
  const now = (): number => (START + seconds) * 1000;
  const store = await openFolderExportJobs(await emptyFolder(), { limit: 1, now });
  const other = { ...JOB, id: "k".repeat(32), until: START + 120 };
  await store.save(JOB);
  await expect(store.save(other)).rejects.toMatchObject({ code: "gateway/export-jobs-full" });
  seconds = 60;
  await store.save(other);
  expect(await store.load(other.id)).toEqual(other);
});

it("a name that is no id never becomes a path", async () => {
  const folder = await emptyFolder();
  const store = await openFolderExportJobs(join(folder, "in"), at(0));
  await expect(store.save({ ...JOB, id: "../out" })).rejects.toThrow(TypeError);
  expect(await readdir(folder)).toEqual(["in"]);
});

it("F3: half a write is forgotten; a damaged file stops the start", async () => {
  const folder = await emptyFolder();
  await writeFile(join(folder, "x.json.abc.part"), "{");
  await openFolderExportJobs(folder, at(0));
  expect(await readdir(folder)).toEqual([]);
  await writeFile(join(folder, `${JOB.id}.json`), "{");
  await expect(openFolderExportJobs(folder, at(0))).rejects.toMatchObject({ code: "gateway/export-jobs-unreadable" });
});
