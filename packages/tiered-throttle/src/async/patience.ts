/** Looks before this part of the announced wait are too early; the rest is for clocks and networks. */
const TOLERANCE = 0.8;

export interface Patience {
  /** Seconds to wait before the next look, or how long this one was too early. */
  look(id: string, ageMs: number): { readonly kind: "fine" | "too-soon"; readonly seconds: number };
  forget(id: string): void;
}

/**
 * Tells clients when to look again: at least `pollSeconds`, a tenth of the job's age, two minutes at most. A look that is refused
 * changes nothing (F14).
 *
 * Does NOT share what it knows with other instances: each has a patience of its own.
 */
export function createPatience(options: { pollSeconds: number; maxJobs: number; now: () => number }): Patience {
  const { pollSeconds, maxJobs, now } = options;
  const earliest = new Map<string, number>();
  return {
    look(id, ageMs) {
      const at = now();
      const from = earliest.get(id) ?? 0;
      if (at < from) return { kind: "too-soon", seconds: Math.max(1, Math.ceil((from - at) / 1000)) };
      const seconds = Math.max(pollSeconds, Math.min(120, Math.ceil(ageMs / 10_000)));
      earliest.delete(id);
      if (earliest.size >= maxJobs) {
        const [oldest] = earliest.keys();
        if (oldest !== undefined) earliest.delete(oldest);
      }
      earliest.set(id, at + seconds * 1000 * TOLERANCE);
      return { kind: "fine", seconds };
    },
    forget(id) {
      earliest.delete(id);
    },
  };
}
