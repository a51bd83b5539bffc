import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const made: string[] = [];
afterAll(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** An empty folder that is gone after the test file. */
export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ledger-"));
  made.push(folder);
  return folder;
}

export async function copyOf(folder: string): Promise<string> {
  const copy = await emptyFolder();
  await cp(folder, copy, { recursive: true });
  return copy;
}

/** The segment files of a ledger, in order. */
export async function segmentFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => file.endsWith(".jsonl")).sort();
}

export async function tornFiles(folder: string): Promise<Buffer[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".torn")).sort();
  return Promise.all(files.map((file) => readFile(join(folder, file))));
}
