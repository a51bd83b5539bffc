import type { IncomingMessage } from "node:http";

/** What keeps a request's slots: its answer, and whatever work outlives the answer. */
export interface SlotHold {
  readonly hold: () => () => void;
  /** Calls `free` once, when everything that holds has let go. */
  readonly onFree: (free: () => void) => void;
}

/** `Symbol.for`, so that two installed copies of this package meet in one hold. */
const HOLD_KEY: unique symbol = Symbol.for("@wardline/slot-hold/1") as never;
type Carrier = IncomingMessage & { [HOLD_KEY]?: SlotHold };

/**
 * Keeps this request's slots until the function it gives is called, also after the answer or its connection has ended (F13):
 * for work that a client's leaving does not stop. Without `reservedPools` or a tier's `concurrency` in front it does nothing.
 */
export function holdSlot(req: IncomingMessage): () => void {
  return (req as Carrier)[HOLD_KEY]?.hold() ?? (() => undefined);
}

/** Calls `onFree` once, when everything that holds has let go. The hold it gives is the caller's own. */
export function openHold(req: IncomingMessage, onFree: () => void): () => void {
  const hold = (req as Carrier)[HOLD_KEY] ?? newHold(req);
  hold.onFree(onFree);
  return hold.hold();
}

function newHold(req: IncomingMessage): SlotHold {
  let holders = 0;
  let frees: (() => void)[] = [];
  const value: SlotHold = {
    hold() {
      holders += 1;
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        holders -= 1;
        if (holders > 0) return;
        const all = frees;
        frees = [];
        for (const free of all) free();
      };
    },
    onFree: (free) => void frees.push(free),
  };
  Object.defineProperty(req, HOLD_KEY, { value, enumerable: false, configurable: true });
  return value;
}
