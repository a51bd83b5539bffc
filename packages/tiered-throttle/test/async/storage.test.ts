import { expect, it } from "vitest";
import type { JobFiles } from "../../src/async/files.ts";
import { createStorage } from "../../src/async/storage.ts";
import { jobOf } from "./support/queues.ts";

it("S9: what is written while the rest is weighed counts, so that the disk does not fill behind a slow look at it", async () => {
  const job = jobOf();
  const looks: ((bytes: number) => void)[] = [];
  const files = {
    ids: async () => [job.id],
    bytesOf: () => new Promise<number>((resolve) => void looks.push(resolve)),
  } satisfies Partial<JobFiles> as unknown as JobFiles;
  const storage = createStorage(files, 100);
  const sweep = (): Promise<void> => storage.sweep(async () => ({ job, status: { kind: "running" } }));

  expect(storage.take(40)).toBe(true);
  const swept = sweep();
  await expect.poll(() => looks.length).toBe(1);
  expect(storage.take(50)).toBe(true);
  looks[0]?.(40);
  await swept;
  expect(storage.take(20)).toBe(false);

  const sweptAgain = sweep();
  await expect.poll(() => looks.length).toBe(2);
  looks[1]?.(40);
  await sweptAgain;
  expect(storage.take(60)).toBe(true);
});
