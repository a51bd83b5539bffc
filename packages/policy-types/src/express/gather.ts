import { AsyncResource } from "node:async_hooks";

/** Gathers work until what `later` was told to do is done: in order, each piece in its own async context. */
export function gatherInto(later: (doAll: () => void) => void): (work: () => void) => void {
  let gathered: Piece[] = [];

  function doAll(): void {
    const together = gathered;
    gathered = [];
    for (const piece of together) perform(piece);
  }

  return function gather(work) {
    if (gathered.push({ work, context: new AsyncResource("wardline.turn") }) === 1) later(doAll);
  };
}

interface Piece {
  readonly work: () => void;
  /** `AsyncLocalStorage`, and with it a tracer's span, is that of whoever brought the work. */
  readonly context: AsyncResource;
}

function perform({ work, context }: Piece): void {
  try {
    context.runInAsyncScope(work);
  } catch (error) {
    // Nobody's to catch, as where it was brought; those behind it are served.
    process.nextTick(() => {
      throw error;
    });
  }
}
