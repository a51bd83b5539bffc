import { once } from "node:events";
import { onTestFinished } from "vitest";

/** The next exception of this test that nobody catches. */
export function uncaught(): Promise<unknown[]> {
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  onTestFinished(() => {
    for (const other of others) process.on("uncaughtException", other);
  });
  return once(process, "uncaughtException");
}
