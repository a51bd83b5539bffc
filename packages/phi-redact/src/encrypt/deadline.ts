/** What a call outside the process may take (F1), and what of it a test can pass in. */
export interface Deadline {
  readonly timeoutMs: number;
}

/**
 * Gives `call` a signal and a deadline of our own: rejects at the deadline even when the call never settles and ignores
 * its signal.
 */
export async function within<Value>(
  { timeoutMs }: Deadline,
  call: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${timeoutMs} ms`));
      controller.abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([call(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
