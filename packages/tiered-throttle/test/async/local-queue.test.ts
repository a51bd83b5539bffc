import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { queueContract } from "./support/contract.ts";
import { emptyFolder, jobOf, localQueue } from "./support/queues.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

queueContract("local queue", async () => {
  const path = join(await emptyFolder(), "jobs.journal");
  return { make: (wish) => localQueue({ path, ...wish }) };
});

it("F15: closes in time when the disk under its journal hangs", async () => {
  const folder = await emptyFolder();
  const queue = localQueue({ path: join(folder, "jobs.journal") });
  await queue.ready();
  const any = await open(join(folder, "any"), "w");
  const sync = vi.spyOn(Object.getPrototypeOf(any) as FileHandle, "datasync");
  sync.mockReturnValue(new Promise(() => undefined));
  await any.close();
  void queue.add(jobOf());
  await vi.waitFor(() => expect(sync).toHaveBeenCalled());
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const closed = queue.close();
  await vi.advanceTimersByTimeAsync(10_000);
  await closed;
});
