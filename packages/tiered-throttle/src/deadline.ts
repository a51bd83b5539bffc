import { DependencyError } from "@wardline/policy-types";

/**
 * F1: our own deadline around a question to the store, because client libraries' own time-outs do not protect. Throws a
 * `DependencyError` when the store fails or is late. What it may have written by then is unknown and stays so (F2).
 */
export async function withinDeadline<Answer>(deadlineMs: number, ask: () => Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      // When this process was the slow one, the answer may be here already: it is read before immediates run.
      setImmediate(() => reject(new Error("no answer within the deadline")));
    }, deadlineMs);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (cause) {
    throw new DependencyError("tiered-throttle/store-unavailable", "the counter store did not answer", {
      cause,
      retryable: false,
    });
  } finally {
    clearTimeout(timer);
  }
}
