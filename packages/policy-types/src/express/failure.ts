type Next = (error?: unknown) => void;

/**
 * A middleware that ends its request whatever it throws or rejects with. Express takes what is no error for words: `undefined`
 * goes on, `"route"` and `"router"` pass over what follows, so that a listener which throws them would open the way.
 */
export function closing<Req, Res>(
  middleware: (req: Req, res: Res, next: Next) => unknown,
): (req: Req, res: Res, next: Next) => void | Promise<void> {
  const closed = (req: Req, res: Res, next: Next): void | Promise<void> => {
    try {
      const done = middleware(req, res, next);
      if (done instanceof Promise) return heard(done, next);
    } catch (failure) {
      next(asFailure(failure));
    }
  };
  return Object.defineProperty(closed, "name", { value: middleware.name });
}

async function heard(done: Promise<unknown>, next: Next): Promise<void> {
  try {
    await done;
  } catch (failure) {
    next(asFailure(failure));
  }
}

/** Whatever was thrown, as an error. */
export function asFailure(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("a stage failed", { cause: thrown });
}
