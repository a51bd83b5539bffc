/** F1: how long the reader of stored versions may take, in milliseconds. */
const DEADLINE_MS = 5000;

/** Rejects when the work has not ended in time; the work itself may go on. */
export function withDeadline<Value>(work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no stored version within the deadline")), DEADLINE_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
