interface Waiting {
  readonly until: number;
  readonly giveUp: () => void;
}

/**
 * Waits for work no longer than so many milliseconds; after that the promise rejects with what `late` makes, and the work
 * is unknown (F2). One timer serves all that wait, since all wait equally long.
 */
export function createDeadline(
  milliseconds: number,
  late: () => Error,
): <Value>(work: Promise<Value>) => Promise<Value> {
  const waiting = new Set<Waiting>();
  let timer: NodeJS.Timeout | undefined;

  return (work) =>
    new Promise((resolve, reject) => {
      const entry = { until: performance.now() + milliseconds, giveUp: () => reject(late()) };
      begin(entry);
      work.then(
        (value) => {
          end(entry);
          resolve(value);
        },
        (error: unknown) => {
          end(entry);
          reject(error as Error);
        },
      );
    });

  function begin(entry: Waiting): void {
    waiting.add(entry);
    if (timer === undefined) timer = setTimeout(expire, milliseconds);
    else if (waiting.size === 1) timer.ref();
  }

  /** The timer stays for whoever comes next, without keeping the process. */
  function end(entry: Waiting): void {
    waiting.delete(entry);
    if (waiting.size === 0) timer?.unref();
  }

  function expire(): void {
    timer = undefined;
    const now = performance.now();
    for (const entry of waiting) {
      if (entry.until > now) {
        timer = setTimeout(expire, Math.ceil(entry.until - now));
        return;
      }
      waiting.delete(entry);
      entry.giveUp();
    }
  }
}
