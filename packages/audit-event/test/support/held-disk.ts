import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { type MockInstance, vi } from "vitest";
import { emptyFolder } from "./folders.ts";

/** The disk's sync, taken hold of: what it does is the test's to say. */
export async function holdSync(sync: () => Promise<void>): Promise<MockInstance> {
  const handle = await open(join(await emptyFolder(), "any"), "w");
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  return vi.spyOn(prototype, "datasync").mockImplementation(sync);
}
