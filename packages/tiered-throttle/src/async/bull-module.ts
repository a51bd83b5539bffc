import type { BullModule } from "./bull-types.ts";

/** BullMQ, where whoever runs this has installed it. */
export async function loadBullmq(): Promise<BullModule | undefined> {
  try {
    return (await import("bullmq")) as unknown as BullModule;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
