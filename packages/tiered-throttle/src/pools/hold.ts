import type { IncomingMessage } from "node:http";

/** What keeps a request's slot: its answer, and whatever work outlives the answer. */
export interface SlotHold {
  readonly hold: () => () => void;
}

/** `Symbol.for`, so that two installed copies of this package meet in one hold. */
const HOLD_KEY: unique symbol = Symbol.for("@wardline/slot-hold/1") as never;
type Carrier = IncomingMessage & { [HOLD_KEY]?: SlotHold };

/**
 * Keeps this request's slot until the function it gives is called, also after the answer or its connection has ended (F13):
 * for work that a client's leaving does not stop. Without `reservedPools` in front it does nothing.
 */
export function holdSlot(req: IncomingMessage): () => void {
  return (req as Carrier)[HOLD_KEY]?.hold() ?? (() => undefined);
}

/** Calls `onFree` once, when everything that holds has let go. The first hold is the caller's own. */
export function openHold(req: IncomingMessage, onFree: () => void): () => void {
  let holders = 0;
  const hold = (): (() => void) => {
    holders += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      holders -= 1;
      if (holders === 0) onFree();
    };
  };
  const value: SlotHold = { hold };
  Object.defineProperty(req, HOLD_KEY, { value, enumerable: false, configurable: true });
  return hold();
}
