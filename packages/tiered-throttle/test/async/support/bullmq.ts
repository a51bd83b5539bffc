import type { BullModule } from "../../../src/index.ts";

/** BullMQ where it is installed: it is the user's choice. */
export const bullmq: BullModule | undefined = await import(process.env["WARDLINE_TEST_BULLMQ"] ?? "bullmq").then(
  (module) => module as BullModule,
  () => undefined,
);
