import { IncomingMessage, ServerResponse } from "node:http";

/**
 * Gives a request or response whose prototype Express has exchanged the shape that all such have. V8 makes each of them a
 * shape of its own, which no code has seen before: wherever a member is looked for, it is sought anew. An object that has
 * lost a member is a dictionary, and alike dictionaries have one shape. Nothing else becomes of it.
 *
 * Does NOT touch Node's own objects, nor those of `edgeClasses`, whose shapes V8 knows.
 */
export function giveOneShape(carrier: IncomingMessage | ServerResponse): void {
  const prototype: unknown = Object.getPrototypeOf(carrier);
  if (prototype === IncomingMessage.prototype || prototype === ServerResponse.prototype || Born.is(carrier)) return;
  const losing: { wardlineLost?: boolean; wardlineLast?: boolean } = carrier as object;
  losing.wardlineLost = true;
  losing.wardlineLast = true;
  // In this order: what was added last could be taken back without a trace.
  delete losing.wardlineLost;
  delete losing.wardlineLast;
}

/** Says of an object that it was born with its prototype. */
export function markAsBorn(carrier: object): void {
  new Born(carrier);
}

function itself(carrier: object): object {
  return carrier;
}

const Itself: new (carrier: object) => object = itself as never;

/** Its private member is put on the object it is given, where nobody else can see it. */
class Born extends Itself {
  readonly #born = true;

  static is(carrier: object): boolean {
    return #born in carrier && carrier.#born;
  }
}
