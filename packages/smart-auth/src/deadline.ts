/** Rejects when the work has not ended in time; the work itself may go on. */
export function within<Value>(deadlineMs: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer within the deadline")), deadlineMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
