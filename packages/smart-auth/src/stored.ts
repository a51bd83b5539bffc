import { within } from "./deadline.ts";

/** F1: how long the reader of stored versions may take, in milliseconds. */
const DEADLINE_MS = 5000;

export function withDeadline<Value>(work: Promise<Value>): Promise<Value> {
  return within(DEADLINE_MS, work);
}
