import { DependencyError, type SendCommand } from "@wardline/policy-types";

/** Puts our own deadline on every command (F1). A late answer is nobody's: what it did is unknown, and nothing is sent twice (F2). */
export function withDeadline(sendCommand: SendCommand, deadlineMs: number): SendCommand {
  return async (...args) => {
    const answer = sendCommand(...args);
    answer.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(storeTimedOut()), deadlineMs);
      timer.unref();
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

function storeTimedOut(): DependencyError {
  return new DependencyError("abuse-monitor/store-timeout", "the shared store did not answer in time", {
    retryable: false,
  });
}
