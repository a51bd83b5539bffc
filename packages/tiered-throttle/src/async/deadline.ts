import { DependencyError } from "@wardline/policy-types";

/** F1: our own deadline around a question to the queue. What it wrote when it is late is unknown (F2). */
export async function withinDeadline<Answer>(deadlineMs: number, asked: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const message = "the queue of jobs did not answer within the deadline";
      reject(new DependencyError("tiered-throttle/async-unavailable", message, { retryable: false }));
    }, deadlineMs);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the work has ended, or when it has had its time. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}
