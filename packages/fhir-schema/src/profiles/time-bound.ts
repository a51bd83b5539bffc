import { createContext, Script } from "node:vm";

/** Runs work to its end, or gives up on it when its time is over. */
export type TimeBound = (work: () => void) => "finished" | "over";

/**
 * Bounds synchronous work by the clock, even in the middle of one long step: V8 is asked to stop it.
 *
 * The work is our own code and is not isolated by this: it is a clock, not a sandbox.
 */
export function timeBound(milliseconds: number): TimeBound {
  const place = Object.assign(Object.create(null) as object, { work: (): void => undefined });
  const context = createContext(place);
  const script = new Script("work()");
  return (work) => {
    place.work = work;
    try {
      script.runInContext(context, { timeout: milliseconds });
      return "finished";
    } catch (error) {
      if (isTimeout(error)) return "over";
      throw error;
    } finally {
      place.work = () => undefined;
    }
  };
}

function isTimeout(error: unknown): boolean {
  // Not by its class, which may be another realm's.
  return (
    typeof error === "object" && error !== null && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"
  );
}
