import { type Decision, deny, permit } from "@wardline/policy-types";
import type { ConsentView } from "./categories/rules.ts";
import type { Lens } from "./decide.ts";
import type { ParsedOptions } from "./options.ts";
import { PREPARATION_FAILED } from "./problems.ts";

/**
 * Fetches what the walk will need, so that the walk is synchronous: keys, consents. Closed when either cannot be had (F8),
 * at our own deadline (F1).
 */
export function prepare(lens: Lens, settings: ParsedOptions): Prepared | Promise<Prepared> {
  const { keys, consents } = lens.needs;
  return keys || consents ? fetchAll(lens, settings) : NOTHING;
}

type Prepared = Decision<ConsentView | undefined>;

const NOTHING: Prepared = permit(undefined, ["nothing to prepare"]);

async function fetchAll(
  { facts, needs }: Lens,
  { cipher, consent, prepareTimeoutMs }: ParsedOptions,
): Promise<Prepared> {
  try {
    const work = Promise.all([
      needs.keys ? cipher?.prepare() : undefined,
      needs.consents ? consent?.(facts) : undefined,
    ]);
    const [, view] = await before(prepareTimeoutMs, work);
    return permit(view, ["keys and consents are at hand"]);
  } catch {
    return deny(PREPARATION_FAILED, ["keys or consents cannot be had"]);
  }
}

async function before<Value>(milliseconds: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("the deadline passed")), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
