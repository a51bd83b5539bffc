import { add, estimate, NOTHING, type Sketch, union } from "./sketch.ts";

/**
 * A sliding window as two halves: what happened in the current half and in the one before. It never counts what is older
 * than the window, and always counts at least its last half; at the end of each half it covers the whole.
 */
interface Halves<Part> {
  /** Number of the current half since the epoch. */
  readonly half: number;
  readonly current: Part;
  readonly previous: Part;
}

export type CountWindow = Halves<number>;

export function countIn(window: CountWindow | undefined, at: number, windowSeconds: number, by = 1): CountWindow {
  const half = halfOf(at, windowSeconds);
  if (window === undefined || half > window.half + 1) return { half, current: by, previous: 0 };
  if (half === window.half + 1) return { half, current: by, previous: window.current };
  // A record that is late counts where we are.
  return { half: window.half, current: window.current + by, previous: window.previous };
}

export function countOf(window: CountWindow | undefined): number {
  return window === undefined ? 0 : window.current + window.previous;
}

export interface DistinctWindow extends Halves<Sketch> {
  /** How many different things both halves hold. */
  readonly size: number;
}

/** Gives the same window when nothing changed. */
export function distinctIn(
  window: DistinctWindow | undefined,
  at: number,
  windowSeconds: number,
  hash: number,
): DistinctWindow {
  const half = halfOf(at, windowSeconds);
  if (window === undefined || half > window.half + 1) {
    return { half, current: add(NOTHING, hash), previous: NOTHING, size: 1 };
  }
  const next = half === window.half + 1;
  const current = next ? NOTHING : window.current;
  const previous = next ? window.current : window.previous;
  const grown = add(current, hash);
  if (grown === current) return window;
  return { half: next ? half : window.half, current: grown, previous, size: sizeOf(grown, previous) };
}

function sizeOf(current: Sketch, previous: Sketch): number {
  if (previous.length === 0) return estimate(current);
  if (current instanceof Uint8Array || previous instanceof Uint8Array) return estimate(union(current, previous));
  return current.length + previous.reduce((more, hash) => (current.includes(hash) ? more : more + 1), 0);
}

function halfOf(at: number, windowSeconds: number): number {
  return Math.floor(at / (windowSeconds * 500));
}
