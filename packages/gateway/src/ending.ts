/** What was opened, to be closed in the opposite order. */
export interface Opened {
  add(close: () => unknown): void;
  /** Closes each, whatever became of the others. Rejects with what the first said that could not be closed. */
  close(): Promise<void>;
}

export function createOpened(): Opened {
  const opened: (() => unknown)[] = [];
  return {
    add: (close) => void opened.push(close),
    async close() {
      const failures: unknown[] = [];
      for (const closeOne of opened.splice(0).reverse()) {
        try {
          await closeOne();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** F15: what the process remembers beside its audit log is written by then, or is as after a crash. */
const BESIDES_MS = 5_000;

/** Closes at the same time what may lie on different disks: one that hangs takes none of the others' time, and not all of ours. */
export async function closeBesides(closings: readonly (() => Promise<void>)[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, BESIDES_MS);
  });
  try {
    await Promise.race([allOf(closings.map((close) => close())), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for all, whatever becomes of one. */
async function allOf(closings: readonly Promise<void>[]): Promise<void> {
  for (const one of await Promise.allSettled(closings)) if (one.status === "rejected") throw one.reason;
}
