import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { BullModule } from "../../../src/index.ts";

const asked = process.env["WARDLINE_TEST_BULLMQ"] ?? "bullmq";

/** BullMQ where it is installed: it is the user's choice. */
export const bullmq: BullModule | undefined = await import(asked).then(
  (module) => module as BullModule,
  () => undefined,
);

/** Where another process finds it. */
export function bullmqPlace(): string {
  return asked.startsWith("file:") ? asked : pathToFileURL(createRequire(import.meta.url).resolve(asked)).href;
}
